"""Segments → groups, by the message structures of HL7 v2.5 (chapter 3 to 12), tolerant of what is sent.

Every segment stays in the message: one that its structure does not know, or not there, belongs to the group in which
it stands. Names of groups are those of the standard without the structure: `PATIENT_RESULT`, `ORDER_OBSERVATION`.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from operator import attrgetter
from typing import Any

from adapters.hl7v2.parse import Message, Segment

# A prior result begins with its patient; an ORC or OBR without one is the next order (v2.5 4.4.6 is ambiguous there).
ENTERED_BY = {"PRIOR_RESULT": frozenset({"PID", "PV1", "AL1"})}


@dataclass(frozen=True)
class Group:
    """A group of segments. `first` and `all` look at its own segments, `find` at the groups inside, however deep."""

    name: str
    segments: tuple[Segment, ...]
    groups: tuple["Group", ...]

    def first(self, name: str) -> Segment | None:
        return next((one for one in self.segments if one.name == name), None)

    def all(self, name: str) -> list[Segment]:
        return [one for one in self.segments if one.name == name]

    def find(self, name: str) -> list["Group"]:
        """Returns the groups of that name inside this one, in order."""
        return list(self._inside(name))

    def _inside(self, name: str) -> Iterator["Group"]:
        for one in self.groups:
            if one.name == name:
                yield one
            yield from one._inside(name)


@dataclass(frozen=True, eq=False)
class _Item:
    """One place in a structure: a segment, or a group with `items`.

    first  the names of segments that can begin it, its optional ones included
    every  the names of all segments somewhere in it
    """

    name: str
    optional: bool
    repeats: bool
    items: tuple["_Item", ...]
    first: frozenset[str]
    every: frozenset[str]


@dataclass(eq=False)
class _Open:
    """A group being filled. `at` is the place in its items that was filled last, `filled` what it already has."""

    item: _Item
    parent: "_Open | None"
    at: int = 0
    segments: list[Segment] = field(default_factory=list)
    groups: list["_Open"] = field(default_factory=list)
    filled: set[str] = field(default_factory=set)

    def take(self, segment: Segment) -> None:
        self.segments.append(segment)
        self.filled.add(segment.name)

    def open(self, item: _Item) -> "_Open":
        self.groups.append(_Open(item, self))
        self.filled.add(item.name)
        return self.groups[-1]

    def closed(self) -> Group:
        return Group(self.item.name, tuple(self.segments), tuple(one.closed() for one in self.groups))


def group(message: Message) -> Group:
    """Returns the message as its root group, named after the structure."""
    root = _Open(_structure(_name(message)), None)
    current = root
    for segment in message.segments:
        if segment.name in root.item.every:
            current = _place(segment.name, current)
        current.take(segment)
    return root.closed()


def known(structure: str) -> bool:
    """Returns whether there is a table for the structure."""
    return structure in _tables()


def _name(message: Message) -> str:
    """MSH-9.3 may be of the right type and still be no structure."""
    own = f"{message.type}_{message.event}"
    return own if not known(message.structure) and known(own) else message.structure


def _place(name: str, current: _Open) -> _Open:
    """Returns the group that a segment of that name goes to: the next place, else a place passed, else here."""
    return _ahead(name, current) or _behind(name, current) or _anywhere(name, current) or current


def _ahead(name: str, current: _Open) -> _Open | None:
    """The grammar as it is written: further on in this group, in a repetition of it, or in the groups around."""
    for opened in _outwards(current):
        for at in range(opened.at, len(opened.item.items)):
            if name in opened.item.items[at].first and _free(opened, at):
                return _enter(name, opened, at)
    return None


def _behind(name: str, current: _Open) -> _Open | None:
    """A segment out of order: the last place for it in an open group; a place taken means a new repetition."""
    for opened in _outwards(current):
        items = opened.item.items
        for at in reversed(range(min(opened.at + 1, len(items)))):
            if name in items[at].first and (items[at].repeats or items[at].name not in opened.filled):
                return _enter(name, opened, at)
        if opened.parent and opened.item.repeats and any(name == one.name for one in items):
            return _deepest(name, opened.parent, opened.parent.item.items.index(opened.item))
    return None


def _anywhere(name: str, current: _Open) -> _Open | None:
    """A group whose first segments are missing."""
    for opened in _outwards(current):
        for at in range(opened.at, len(opened.item.items)):
            if name in opened.item.items[at].every and _free(opened, at):
                return _deepest(name, opened, at)
    return None


def _free(opened: _Open, at: int) -> bool:
    return at > opened.at or opened.item.items[at].repeats or opened.item.items[at].name not in opened.filled


def _enter(name: str, opened: _Open, at: int) -> _Open:
    """Goes to item `at`, and into it as long as it is a group, by its first segments."""
    return _descend(name, opened, at, attrgetter("first"))


def _deepest(name: str, opened: _Open, at: int) -> _Open:
    return _descend(name, opened, at, attrgetter("every"))


def _descend(name: str, opened: _Open, at: int, of: Callable[[_Item], frozenset[str]]) -> _Open:
    opened.at = max(opened.at, at)
    item = opened.item.items[at]
    if not item.items:
        return opened
    inner = opened.open(item)
    inside = next(number for number, one in enumerate(item.items) if name in of(one))
    return _descend(name, inner, inside, of)


def _outwards(opened: _Open | None) -> Iterator[_Open]:
    while opened:
        yield opened
        opened = opened.parent


@cache
def _structure(name: str) -> _Item:
    return _compiled({name: _tables().get(name, [])})


@cache
def _tables() -> dict[str, list[Any]]:
    text = (files("adapters.hl7v2.tables") / "structures.json").read_text(encoding="ascii")
    tables: dict[str, list[Any]] = json.loads(text)
    return tables


def _compiled(written: str | dict[str, list[Any]]) -> _Item:
    [(marked, inside)] = [(written, [])] if isinstance(written, str) else written.items()
    name = marked.rstrip("?*+")
    mark = marked[len(name) :]
    items = tuple(map(_compiled, inside))
    every = frozenset().union(*(one.every for one in items)) if items else frozenset({name})
    first = ENTERED_BY.get(name) or _first(name, items)
    return _Item(name, mark in ("?", "*"), mark in ("*", "+"), items, first, every)


def _first(name: str, items: tuple[_Item, ...]) -> frozenset[str]:
    if not items:
        return frozenset({name})
    first: frozenset[str] = frozenset()
    for item in items:
        first |= item.first
        if not item.optional:
            break
    return first
