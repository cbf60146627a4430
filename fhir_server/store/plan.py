"""What the store is asked to find: made by `search.plan`, run by `store.find`. Free of any driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Filter = Mapping[str, Any]

# The key every live resource has, and no tombstone.
LIVE = "_"


@dataclass(frozen=True)
class Order:
    """The order of pages: `field` is d (clinical date), ts (last update) or _id; ids break ties."""

    field: str = "d"
    descending: bool = True


@dataclass(frozen=True)
class Position:
    """Where a page ended: the last row's value of the order's field (UTC, milliseconds; None for _id) and its id."""

    value: datetime | None
    id: str


@dataclass(frozen=True)
class Range:
    """A stretch of an index where all matches of a criterion lie, though not in the order of pages.

    index  where it lies: keys, updated or id
    """

    filter: Filter
    index: str = "keys"


@dataclass(frozen=True)
class Plan:
    """A search, all of whose criteria must hold. Filters are MongoDB's, over the names of the envelope.

    keys    for each criterion the index keys of which one must be there; they drive the search
    rest    the other criteria, which sift what was found
    ranges  where to look for what fits one of them: drives the search when it is little
    dated   where the clinical date of every match lies
    after   the page starts behind this row
    limit   rows of a page
    """

    type: str
    keys: Sequence[Sequence[str]] = ()
    rest: Sequence[Filter] = ()
    ranges: Sequence[Range] = ()
    dated: Sequence[Filter] = ()
    order: Order = field(default_factory=Order)
    after: Position | None = None
    limit: int = 20
