"""What is stored and what is asked, in the words of the inverted index: keys `code=text`, and rechecks beside them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

from fhir_server.config import Text
from fhir_server.definitions.registry import SearchParameter
from fhir_server.search.fold import Fold, folding

Filter = Mapping[str, Any]

# Above every character that a key holds.
LAST = "\U0010ffff"
# Longer keys are cut and end in a digest of the whole: still equal only to themselves.
KEY_LIMIT = 1000


class Entry(NamedTuple):
    """What one value of a resource adds to the index: keys, and what is rechecked beside them."""

    keys: Sequence[str]
    recheck: Sequence[Mapping[str, Any]] = ()


NOTHING = Entry(())


@dataclass(frozen=True)
class Rules:
    """How values are read that are to be stored: `zone` of dates that name none, `text` how texts are made alike."""

    zone: tzinfo
    text: Text = Text()

    @cached_property
    def fold(self) -> Fold:
        return folding(self.text)


# Gives what is stored under a code of one value.
Store = Callable[[str, Any, Rules], Entry]


class Codes(Protocol):
    """What terminology tells a search: lists of `(system, code)`, None for what is not known."""

    def value_set(self, url: str) -> Sequence[tuple[str, str]] | None: ...

    def below(self, system: str, code: str) -> Sequence[tuple[str, str]] | None: ...

    def above(self, system: str, code: str) -> Sequence[tuple[str, str]] | None: ...


@dataclass(frozen=True)
class Asked:
    """What is searched by, where it is stored, and what a value without more detail means.

    code     the stored parameter: `subject`, though `patient` was asked
    within   the part of it that counts: `Patient` of `subject`, `phone` of `telecom`; "" all of it
    types    FHIR types its values have
    systems  code systems of codes bound to a required value set; None: not known, or no codes
    zone     of dates that name none
    base     of the server: `http://127.0.0.1:8080/fhir`
    codes    lists value sets and hierarchies; None: nobody does here
    text     how texts are made alike
    parts    of a composite that is stored: what each of its components is
    asunder  of a composite whose components stand alone in a resource: they are asked one by one
    """

    parameter: SearchParameter
    code: str
    within: str = ""
    types: frozenset[str] = frozenset()
    systems: frozenset[str] | None = None
    zone: tzinfo | None = None
    base: str = ""
    codes: Codes | None = None
    text: Text = Text()
    parts: Sequence["Asked"] = ()
    asunder: bool = False

    @property
    def fold(self) -> Fold:
        return folding(self.text)


@dataclass(frozen=True)
class Keys:
    """A resource that has any of these keys."""

    keys: tuple[str, ...]

    @property
    def filter(self) -> Filter:
        return {"ix": {"$in": list(self.keys)}}


@dataclass(frozen=True)
class Stretch:
    """A resource that has a key from `low` up to, not including, `high`, and of what is rechecked one that fits."""

    low: str
    high: str
    recheck: Filter | None = None

    @property
    def bounds(self) -> Filter:
        return {"ix": {"$elemMatch": {"$gte": self.low, "$lt": self.high}}}

    @property
    def filter(self) -> Filter:
        """The recheck decides alone; the bounds only lead to where it may hold."""
        return {"iv": {"$elemMatch": self.recheck}} if self.recheck else self.bounds


@dataclass(frozen=True)
class Pattern:
    """A resource that has a key of this regular expression."""

    expression: str

    @property
    def filter(self) -> Filter:
        return {"ix": {"$regex": self.expression}}


@dataclass(frozen=True)
class Field:
    """A resource whose own field is so: its id, its last update. `index` is where the store keeps it."""

    index: str
    filter: Filter


@dataclass(frozen=True)
class Driven:
    """A resource that has one key of each of `drivers` and fits `decides`; the drivers only lead to where it may."""

    drivers: tuple[tuple[str, ...], ...]
    decides: Filter

    @property
    def filter(self) -> Filter:
        return {"$and": [*(Keys(one).filter for one in self.drivers), self.decides]}


@dataclass(frozen=True)
class Sift:
    """A resource that fits the filter; nothing leads to it."""

    filter: Filter


Alternative = Keys | Stretch | Pattern | Field | Driven | Sift


@dataclass(frozen=True)
class Term:
    """One criterion: any of the alternatives, or none of them.

    dated  where the clinical date of every match lies, if the criterion tells
    """

    alternatives: Sequence[Alternative]
    negated: bool = False
    dated: Filter | None = None

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of those alternatives that are no more than keys, each once."""
        return tuple(dict.fromkeys(key for one in self.alternatives if isinstance(one, Keys) for key in one.keys))

    @property
    def filter(self) -> Filter:
        """All keys in one list: a list is looked up in once for each key of a resource, however long it is."""
        exact = [Keys(self.keys)] if any(isinstance(one, Keys) for one in self.alternatives) else []
        others = [one for one in self.alternatives if not isinstance(one, Keys)]
        return {"$nor" if self.negated else "$or": [one.filter for one in (*exact, *others)]}


def key(code: str, text: str) -> str:
    """Returns the key of `text` under the parameter `code`: `subject=Patient/p1`."""
    whole = f"{code}={text}"
    return whole if len(whole) <= KEY_LIMIT else f"{whole[:KEY_LIMIT]}\x1f{sha256(whole.encode()).hexdigest()}"


def keys(code: str, *texts: str) -> Keys:
    return Keys(tuple(key(code, one) for one in texts))


def starting(code: str, text: str) -> Stretch:
    """Returns the stretch of all keys of `code` whose text starts with `text`."""
    start = f"{code}={text}"[:KEY_LIMIT]
    return Stretch(start, start + LAST)
