"""What can be searched on a resource type, and where each parameter is stored: worked out from the definitions.

A parameter that others cover is not stored: `patient` is the part `Patient` of `subject`, `phone` the part `phone` of
`telecom`, `combo-code` is `code` or `component-code`. Keys are the cost of the index.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from fhir_server.definitions.registry import Definitions, SearchParameter
from fhir_server.fhirpath.compile import Branch, Extractor, Item, extractor
from fhir_server.outcome import FHIRError, NotSupported, Unavailable
from fhir_server.search.parameters import PARAMETER_TYPES
from fhir_server.search.term import Entry

# Of the whole resource, kept in fields of their own.
FIELDS = ("_id", "_lastUpdated")
# The parameter that newest-first pages go by: the first of these that a type has.
CLINICAL_DATES = (
    "authoredon", "authored", "authored-on", "date", "effective-time", "effective", "started", "period", "occurrence",
    "sent", "whenhandedover", "whenprepared", "recorded", "recorded-date", "collected", "identified", "datetime",
    "event-date", "created", "issued", "datewritten", "start", "start-date", "timestamp",
)
# A change of how keys are written asks for a reindex; this number tells it.
FORMAT = 1

_SUPERTYPES = ("Resource", "DomainResource")
UNION = re.compile(r"\s*\|\s*")
_PART = re.compile(r"^(.*)\.where\((?:resolve\(\) is (\w+)|system='(\w+)')\)$")


@dataclass(frozen=True)
class Place:
    """Where values of a parameter are stored: under `code`, there `within` a target type or a system, or all of it."""

    code: str
    within: str = ""


class Reader(NamedTuple):
    """Reads what is stored of one parameter out of a resource: the values of a branch, and how they are indexed."""

    code: str
    branch: Branch
    index_value: Callable[[Item, tzinfo], Iterable[Entry]]


@dataclass(frozen=True)
class Searchable:
    """The search parameters of one resource type.

    parameters  all that can be asked, by code
    places      where those are stored that are no field of their own
    extractors  of the stored ones
    readers     the same by the member of the resource that they start from; "" for what looks at the whole
    clinical    code of the parameter that newest-first pages go by, or ""
    dated       that parameter has one value at most, whose start is the clinical date
    hash        changes when what is stored would
    """

    parameters: Mapping[str, SearchParameter]
    places: Mapping[str, Sequence[Place]]
    extractors: Mapping[str, Extractor]
    readers: Mapping[str, Sequence[Reader]]
    clinical: str
    dated: bool
    hash: str


@dataclass(frozen=True)
class Layout:
    """Where values are stored, worked out without compiling anything.

    parameters, places, hash  as in Searchable, but with what is being built
    parts       the alternatives of each expression that is evaluated, by code
    """

    parameters: Mapping[str, SearchParameter]
    parts: Mapping[str, Sequence[str]]
    places: Mapping[str, Sequence[Place]]
    hash: str

    @property
    def stored(self) -> Sequence[str]:
        return sorted({place.code for found in self.places.values() for place in found})

    def definition(self, code: str) -> tuple[object, ...]:
        """Returns all that decides what is stored under `code`."""
        one = self.parameters[code]
        return (one.type, self.parts[code], *([one.components] if one.components else []))


@lru_cache(maxsize=4000)
def layout(type_: str, definitions: Definitions) -> Layout:
    """Returns where the values of a type are stored."""
    if type_ not in definitions.touched and definitions is not definitions.standard:
        return layout(type_, definitions.standard)
    parts, parameters = _parts(type_, definitions), {one.code: one for one in supported(type_, definitions)}
    made = Layout(parameters, parts, _places(parts, parameters), "")
    return replace(made, hash=_hash({code: made.definition(code) for code in made.stored}))


@lru_cache(maxsize=4000)
def searchable(type_: str, definitions: Definitions) -> Searchable:
    """Returns what can be searched on `type_`; compiled once per process, some milliseconds a type."""
    if type_ not in definitions.touched and definitions is not definitions.standard:
        return searchable(type_, definitions.standard)
    known, building = layout(type_, definitions), definitions.building.get(type_, frozenset())
    extractors = {code: _compiled(" | ".join(known.parts[code]), type_, definitions.standard) for code in known.stored}
    dates = [code for code in CLINICAL_DATES if code in extractors and known.parameters[code].type == "date"]
    clinical = next((code for code in dates if known.parameters[code].standard), "")
    return Searchable(
        {code: one for code, one in known.parameters.items() if code not in building},
        {code: one for code, one in known.places.items() if code not in building},
        extractors,
        _readers(extractors, known.parameters),
        clinical,
        bool(clinical) and len(known.parts[clinical]) == 1 and not extractors[clinical].repeats,
        known.hash,
    )


# Most of what a new set of parameters needs was compiled for the one before.
_compiled = lru_cache(maxsize=20_000)(extractor)


def changed(type_: str, before: Definitions, after: Definitions) -> frozenset[str]:
    """Returns the codes that cannot be asked of `after` while resources are indexed as `before` says."""
    old, new = layout(type_, before), layout(type_, after)
    return frozenset(code for code in new.places if _kept(code, old) != _kept(code, new))


def _kept(code: str, known: Layout) -> Sequence[tuple[object, ...]]:
    return [(place, *known.definition(place.code)) for place in known.places.get(code, ())]


def missing(type_: str, name: str, definitions: Definitions) -> FHIRError:
    """Returns what to raise for a name that cannot be asked: there is no such parameter, or it is being built."""
    code, _, _ = name.partition(":")
    if code not in definitions.building.get(type_, ()):
        return NotSupported(f"{type_} has no search parameter {name[:80]} here.")
    text = f"{type_}.{code} is being built: {definitions.progress(type_)}."
    # A standard one is built anew after an upgrade: whoever asks may count on it, and must not do without.
    standard = definitions.search_parameters(type_)[code].standard
    return Unavailable(text) if standard else NotSupported(text)


def _readers(
    extractors: Mapping[str, Extractor], parameters: Mapping[str, SearchParameter]
) -> Mapping[str, Sequence[Reader]]:
    readers: dict[str, list[Reader]] = {}
    for code, extract in extractors.items():
        for branch in extract.branches:
            reader = Reader(code, branch, PARAMETER_TYPES[parameters[code].type].index)
            readers.setdefault(branch.member, []).append(reader)
    return readers


def supported(type_: str, definitions: Definitions) -> Sequence[SearchParameter]:
    """Returns the search parameters of `type_`, by name, with those that are being built; compiles nothing."""
    parts = _parts(type_, definitions)
    known = definitions.search_parameters(type_)
    return tuple(known[code] for code in sorted(known) if code in parts or code in FIELDS)


def _parts(type_: str, definitions: Definitions) -> Mapping[str, Sequence[str]]:
    """The alternatives of each expression that is evaluated."""
    return {
        code: found
        for code, one in definitions.search_parameters(type_).items()
        if one.type in PARAMETER_TYPES and code not in FIELDS and (found := alternatives(one.expression, type_))
    }


def alternatives(expression: str, type_: str) -> tuple[str, ...]:
    """Returns the parts of a union that can find something in `type_`: of `A.code | B.code` for A only `A.code`."""
    starts = ("", type_, *_SUPERTYPES)
    return tuple(one for one in UNION.split(expression.strip()) if one and _starts_at(one) in starts)


def _starts_at(part: str) -> str:
    """The type an expression starts with, "" for one relative to whatever it is applied to."""
    first = part.lstrip("(").partition(".")[0]
    return first if first[:1].isupper() else ""


def _places(
    parts: Mapping[str, Sequence[str]], parameters: Mapping[str, SearchParameter]
) -> Mapping[str, Sequence[Place]]:
    """Returns where each parameter is stored; plain and short expressions come first, others lean on them."""
    places: dict[str, Sequence[Place]] = {}
    # A standard one never leans on one of this network, lest a change of that should move it.
    for code in sorted(parts, key=lambda one: (
            not parameters[one].standard, _within(parts[one]) != "", len(parts[one]), one)):
        stored = {
            other: set(parts[other])
            for other, found in places.items()
            if parameters[other].type == parameters[code].type and found == [Place(other)]
        }
        places[code] = _covering(parts[code], stored) or [Place(code)]
    return places


def _covering(parts: Sequence[str], stored: Mapping[str, set[str]]) -> Sequence[Place]:
    """Returns the stored parameters that together find exactly what `parts` find, or none."""
    within = _within(parts)
    whole = {_PART.sub(r"\1", one) for one in parts} if within else set(parts)
    used = [code for code, found in stored.items() if found <= whole]
    same = [code for code in used if stored[code] == whole]
    covered = set().union(*(stored[code] for code in used))
    return [Place(code, within) for code in (same[:1] or used)] if covered == whole else []


def _within(parts: Sequence[str]) -> str:
    """The target type or the system that all parts are narrowed to, or ""."""
    found = {match.group(2) or match.group(3) if (match := _PART.match(one)) else "" for one in parts}
    return found.pop() if len(found) == 1 else ""


def _hash(stored: Mapping[str, object]) -> str:
    return sha256(repr((FORMAT, stored)).encode()).hexdigest()[:16]
