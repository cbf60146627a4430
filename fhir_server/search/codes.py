"""Codes of value sets, codes above and below others: as far as definitions and stored resources list them.

https://hl7.org/fhir/R4/valueset.html · https://hl7.org/fhir/R4/codesystem.html#hierarchy
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fhir_server.definitions.registry import Definitions
from fhir_server.definitions.value_set import Terminology, codings, concepts
from fhir_server.fhirjson import Resource, decode
from fhir_server.search.searchable import searchable
from fhir_server.search.term import key
from fhir_server.store.plan import Order, Plan, Sort

Coding = tuple[str, str]
# Value sets that one value set may be made of, and how often they are looked at.
LOOKUPS = 100

_UPWARDS = frozenset({"parent", "subsumedBy"})
_DOWNWARDS = "child"


@dataclass(frozen=True)
class StoredCodes:
    """Answers for one search: what it read once it does not read again.

    find       runs a plan and gives the JSON of what it found
    condition  keys that a resource must have: what the caller may see
    """

    definitions: Definitions
    find: Callable[[Plan], Iterable[bytes]]
    condition: Sequence[str] = ()
    _read: dict[tuple[str, str], Resource | None] = field(default_factory=dict)
    _trees: dict[str, "_Tree | None"] = field(default_factory=dict)
    _sets: dict[str, Sequence[Coding] | None] = field(default_factory=dict)

    def value_set(self, url: str) -> Sequence[Coding] | None:
        """Returns the codes of a value set, by its URL, whatever `|version`; None if they cannot be listed."""
        if url not in self._sets:
            self._sets[url] = self._listed(url)
        return self._sets[url]

    def _listed(self, url: str) -> Sequence[Coding] | None:
        try:
            found = codings(url, Terminology(_ByUrl(self._value_set), _ByUrl(self._code_system)))
        except RecursionError:
            return None
        return None if found is None else sorted(found)

    def below(self, system: str, code: str) -> Sequence[Coding] | None:
        """Returns a code and what it subsumes; None for a code system that is not stored."""
        tree = self._tree(system)
        return None if tree is None else [(system, one) for one in _reached(code, tree.children)]

    def above(self, system: str, code: str) -> Sequence[Coding] | None:
        """Returns a code and what subsumes it; None for a code system that is not stored."""
        tree = self._tree(system)
        return None if tree is None else [(system, one) for one in _reached(code, tree.parents)]

    def _tree(self, system: str) -> "_Tree | None":
        if system not in self._trees:
            found = self._code_system(system)
            self._trees[system] = _Tree(found) if found else None
        return self._trees[system]

    def _value_set(self, url: str) -> Resource | None:
        listed = self.definitions.systems(url)
        if listed is None:
            found = self._stored("ValueSet", url)
            return _composed(found) if found else None
        include = [{"system": system, "concept": [{"code": one} for one in codes]} for system, codes in listed.items()]
        return {"url": url, "compose": {"include": include}}

    def _code_system(self, url: str) -> Resource | None:
        return self._stored("CodeSystem", url)

    def _stored(self, type_: str, url: str) -> Resource | None:
        """The one of this URL that was updated last."""
        if (type_, url) not in self._read:
            stored = searchable(type_, self.definitions).places["url"][0].code
            keys = [*((one,) for one in self.condition), (key(stored, url),)]
            found = self.find(Plan(type_, keys, order=Order((Sort("ts"),)), limit=1))
            self._read[type_, url] = next((decode(raw) for raw in found), None)
        return self._read[type_, url]


class _ByUrl(Mapping[str, Resource]):
    """Resources by URL, read when they are asked for; only so many, as value sets may be made of each other."""

    def __init__(self, find: Callable[[str], Resource | None]) -> None:
        self._find = find
        self._left = LOOKUPS

    def __getitem__(self, url: str) -> Resource:
        self._left -= 1
        found = self._find(url) if self._left >= 0 else None
        if found is None:
            raise KeyError(url)
        return found

    def __iter__(self) -> Iterator[str]:
        raise TypeError("They are only looked up.")

    def __len__(self) -> int:
        raise TypeError("They are only looked up.")


@dataclass(frozen=True)
class _Tree:
    """Which concepts of a code system lie directly above and below which."""

    system: Resource

    @cached_property
    def parents(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for parent, child in _links(self.system.get("concept", [])):
            found.setdefault(child, []).append(parent)
        return found

    @cached_property
    def children(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for parent, child in _links(self.system.get("concept", [])):
            found.setdefault(parent, []).append(child)
        return found


def _links(roots: Iterable[Resource]) -> Iterator[Coding]:
    """Yields (parent, child), by nesting and by properties."""
    for one in concepts(roots):
        yield from ((one["code"], below["code"]) for below in one.get("concept", []))
        for stated in one.get("property", []):
            other = stated.get("valueCode")
            if other and stated["code"] in _UPWARDS:
                yield other, one["code"]
            elif other and stated["code"] == _DOWNWARDS:
                yield one["code"], other


def _reached(code: str, links: Mapping[str, Sequence[str]]) -> list[str]:
    """A code and all that the links lead to, each once."""
    found, waiting = {code: None}, [code]
    while waiting:
        new = [one for one in links.get(waiting.pop(), ()) if one not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return list(found)


def _composed(value_set: Resource) -> Resource:
    """A value set that only says what it was expanded to, as if it were composed of that."""
    if "compose" in value_set or "expansion" not in value_set:
        return value_set
    listed = _contained(value_set["expansion"].get("contains", []))
    include = [{"system": one["system"], "concept": [{"code": one["code"]}]}
               for one in listed if "code" in one and "system" in one]
    return {**value_set, "compose": {"include": include}}


def _contained(rows: Iterable[Resource]) -> Iterator[Resource]:
    for one in rows:
        yield one
        yield from _contained(one.get("contains", []))
