"""What is added to a page of a search: _include and _revinclude. https://hl7.org/fhir/R4/search.html#include

Everything is read through plans that hold what the caller may see. A reference to a version adds the current one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import Request
from fhir_server.interactions.scope import Row
from fhir_server.outcome import Issue
from fhir_server.search.criteria import Include
from fhir_server.search.include import ANY, paths, shown
from fhir_server.search.term import key
from fhir_server.store.find import Deadline
from fhir_server.store.plan import Order, Plan, Range, Sort

# Resources added to one page, and rounds of :iterate.
LIMIT = 1000
ROUNDS = 5
# MongoDB merges so many keys in order.
KEYS = 200

_BY_ID = Order((Sort("_id", False),))


@dataclass(frozen=True)
class Included:
    """What was added, each once; `issues` tell what was left out."""

    rows: Sequence[Row]
    issues: Sequence[Issue] = ()


def included(
    includes: Sequence[Include], matches: Sequence[Row], request: Request, context: Context, deadline: Deadline
) -> Included:
    """Returns what `includes` add to `matches`, whose rows tell the keys of `shown`."""
    page = _Page(context, request.base, condition(request.caller), deadline, {_place(one) for one in matches})
    again = [one for one in includes if one.iterate]
    fresh, asked = matches, includes
    for _ in range(ROUNDS):
        fresh, asked = page.around(fresh, asked, again), again
        if not fresh or not asked or page.full:
            break
    left_out = page.full or (fresh and asked)
    return Included(page.rows, [Issue(LEFT_OUT, "incomplete", severity="warning")] if left_out else [])


LEFT_OUT = f"There may be more to include: at most {LIMIT} resources are, over at most {ROUNDS} links."


Place = tuple[str, str]


def _place(row: Row) -> Place:
    return row.type, row.found.id


@dataclass
class _Page:
    """What is added to one page, as it grows. `full`: something was left out."""

    context: Context
    base: str
    may_see: Sequence[str]
    deadline: Deadline
    seen: set[Place]
    rows: list[Row] = field(default_factory=list)
    size: int = 0
    full: bool = False

    def around(self, fresh: Sequence[Row], asked: Sequence[Include], again: Sequence[Include]) -> Sequence[Row]:
        """Adds what `asked` leads to from `fresh`; returns it, with the keys that `again` will ask for."""
        before = len(self.rows)
        for type_, ids in self._referred(fresh, asked).items():
            for some in _pieces(ids, LIMIT):
                by_id = {"_id": {"$in": list(some)}}
                self._add(Plan(type_, rest=[by_id], ranges=[Range(by_id, "id")], order=_BY_ID), again)
        for type_, keys in self._referring(fresh, asked).items():
            for some in _pieces(keys, KEYS):
                self._add(Plan(type_, keys=[tuple(some)]), again)
        return self.rows[before:]

    def _add(self, wanted: Plan, again: Sequence[Include]) -> None:
        """Reads one row more than there is room for, lest something be left out untold."""
        room, left = LIMIT - len(self.rows), self.context.config.answer_limit - self.size
        if self.full or room < 1 or left < 1:
            self.full = True
            return
        whole = replace(
            wanted, keys=[*((one,) for one in self.may_see), *wanted.keys], limit=room + len(self.seen),
            shown=shown(again, wanted.type, self.context.definitions))
        found = self.context.store.find(whole, self.deadline, left)
        rows = [one for one in (Row(wanted.type, one) for one in found.rows) if _place(one) not in self.seen]
        self.full = found.more is not None or len(rows) > room
        self.rows += rows[:room]
        self.size += sum(len(one.found.raw) for one in rows[:room])
        self.seen.update(map(_place, rows))

    def _referred(self, fresh: Sequence[Row], asked: Sequence[Include]) -> Mapping[str, Sequence[str]]:
        """By type the ids of what the rows refer to and is not there yet."""
        found: dict[str, dict[str, None]] = {}
        ways = {type_: self._forward(type_, asked) for type_ in {row.type for row in fresh}}
        for row in fresh:
            for code, type_, id_ in self._references(row):
                if (code, type_) in ways[row.type] and (type_, id_) not in self.seen:
                    found.setdefault(type_, {})[id_] = None
        return {type_: list(found[type_]) for type_ in sorted(found)}

    def _forward(self, type_: str, asked: Sequence[Include]) -> set[tuple[str, str]]:
        """Where to go on from resources of a type: by which parameters to which types."""
        definitions = self.context.definitions
        return {(code, target) for one in asked if not one.reverse
                for code, types in paths(one, type_, definitions) for target in types}

    def _references(self, row: Row) -> Iterator[tuple[str, str, str]]:
        """The references of a row that lead to resources of this server, as it writes them: by what, type and id."""
        for one in row.found.keys:
            code, _, text = one.partition("=")
            address, _, base = text.partition(" ")
            type_, _, id_ = address.partition("/")
            if id_ and base in ("", self.base):
                yield code, type_, id_

    def _referring(self, fresh: Sequence[Row], asked: Sequence[Include]) -> Mapping[str, Sequence[str]]:
        """By type the keys of what refers to the rows."""
        found: dict[str, dict[str, None]] = {}
        for one in asked:
            for source in self._sources(one) if one.reverse else ():
                for code, types in paths(one, source, self.context.definitions):
                    for row in fresh if types else ():
                        if row.type in types:
                            found.setdefault(source, {})[key(code, f"{row.type}/{row.found.id}")] = None
        return {type_: list(found[type_]) for type_ in sorted(found)}

    def _sources(self, one: Include) -> Sequence[str]:
        return self._stored if one.source == ANY else (one.source,)

    @cached_property
    def _stored(self) -> Sequence[str]:
        """The types to look among for whatever refers to the rows: of most nothing is ever stored."""
        return self.context.store.reindex.types()


def _pieces(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), size):
        yield values[start:start + size]
