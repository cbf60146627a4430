"""The table machinery of the maps: a segment map is a table of rows, each from one field to one element.

    PATIENT = (
        Field("PID-3", "identifier[]", cx.identifier),
        Field("PID-8", "gender", coded("administrative-sex")),
    )
    patient = {"resourceType": "Patient", **elements(segment, PATIENT, scope)}
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cached_property
from operator import attrgetter
from typing import Any
from urllib.parse import quote

from adapters.facility import JST, Facility
from adapters.hl7v2 import parse
from adapters.hl7v2.parse import Repetition, Segment
from adapters.record import Note
from fhir_server.fhirjson import Resource
from terminology.service import translate


@dataclass(frozen=True, slots=True)
class Scope:
    """What a data type must know besides its own text.

    facility  whose message it is
    zone      of times that carry no offset: the one in MSH-7, else the facility's
    notes     collects what could not be carried over
    place     where the value stands, for those notes
    seen      what was read before in this message: thirty results name one laboratory
    """

    facility: Facility
    zone: tzinfo = JST
    notes: list[Note] = field(default_factory=list)
    place: str = ""
    seen: dict[tuple[object, ...], list[Any]] = field(default_factory=dict)

    def at(self, segment: Segment, number: int) -> "Scope":
        return Scope(self.facility, self.zone, self.notes, segment.place(number), self.seen)

    def note(self, text: str) -> None:
        self.notes.append(Note(self.place, text))

    def local(self, *names: str) -> str:
        """Returns a URI for what only this facility knows: `urn:kakehashi:1119999991:99XYZ`."""
        return ":".join(("urn:kakehashi", self.facility.number, *(quote(name, safe="") for name in names)))


Reader = Callable[[Repetition, Scope], Any]


@dataclass(frozen=True)
class Field:
    """One row of a segment map.

    place   `PID-3`
    path    the element from the resource on: `gender`; `name[]` where it repeats; `hospitalization.admitSource`
    read    data type → value of the element, or None where there is none
    choose  the repetitions to read; all of them, unless several state one thing (a person in kanji and in kana)
    """

    place: str
    path: str
    read: Reader
    choose: Callable[[parse.Field], Iterable[Repetition]] = attrgetter("repetitions")

    @cached_property
    def number(self) -> int:
        return int(self.place.partition("-")[2])

    @cached_property
    def steps(self) -> tuple[str, ...]:
        return tuple(self.path.split("."))


Table = tuple[Field, ...]


def elements(segment: Segment, table: Table, scope: Scope) -> Resource:
    """Returns the elements that the rows of `table` make of `segment`; no row, no value, no element."""
    found: Resource = {}
    sent = segment.fields
    for row in table:
        if row.number < len(sent) and sent[row.number]:
            known = scope.seen.get((row.read, row.choose, sent[row.number]))
            for value in _values(row, segment, scope) if known is None else known:
                if not _put(found, row.steps, value):
                    scope.at(segment, row.number).note("Another value than the one taken, of an element that has one.")
    return found


def _values(row: Field, segment: Segment, scope: Scope) -> list[Any]:
    """What a row makes of a field; what gave no reason for a note need not be read again."""
    noted, here = len(scope.notes), scope.at(segment, row.number)
    read = (row.read(repetition, here) for repetition in row.choose(segment[row.number]))
    values = [one for one in read if one is not None and one != ""]
    if len(scope.notes) == noted:
        scope.seen[row.read, row.choose, segment.fields[row.number]] = values
    return values


def _put(into: Resource, steps: tuple[str, ...], value: Any) -> bool:
    """Returns False where the element has another value already, and can have only one."""
    for step in steps[:-1]:
        into = into.setdefault(step, {})
    last = steps[-1]
    if last.endswith("[]"):
        _append(into.setdefault(last[:-2], []), value)
        return True
    return bool(into.setdefault(last, value) == value)


def _append(values: list[Any], value: Any) -> None:
    """A list holds what one field says twice only once."""
    if value not in values:
        values.append(value)


def coded(concept_map: str) -> Reader:
    """Returns a reader of a code through a ConceptMap, for elements of type code."""

    def read(repetition: Repetition, scope: Scope) -> str | None:
        code = repetition[1]
        target = translate(concept_map, code) if code else None
        if code and not target:
            scope.note(f"The code is not in the map {concept_map}.")
        return target.code if target else None

    return read


def text(repetition: Repetition, scope: Scope) -> str | None:
    """Reads ST, TX and FT: the text as it stands, without the escapes; None where only blanks are left."""
    return repetition.text.strip() or None


def first(given: parse.Field) -> tuple[Repetition, ...]:
    """Chooses the first repetition alone."""
    return given.repetitions[:1]


def numbers(*known: Table | int) -> frozenset[int]:
    """Returns the fields that are taken care of: by a row of a table, or by number where code or nobody needs them."""
    rows = {row.number for table in known if isinstance(table, tuple) for row in table}
    return frozenset(rows | {one for one in known if isinstance(one, int)})


def leftover(segment: Segment, known: frozenset[int], scope: Scope) -> None:
    """Notes every valued field of `segment` that the map does not know: nothing is dropped in silence."""
    for number, raw in enumerate(segment.fields):
        if number and raw and number not in known and raw.strip('^~&"'):
            scope.at(segment, number).note("This field is not mapped.")
