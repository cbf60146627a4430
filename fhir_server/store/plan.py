"""What the store is asked to find: made by `search.plan`, run by `store.find`. Free of any driver."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Filter = Mapping[str, Any]

# The key every live resource has, and no tombstone.
LIVE = "_"


@dataclass(frozen=True)
class Sort:
    """One key of an order.

    field  d (clinical date), ts (last update), _id, or `s.` and the code of a parameter: its value for sorting
    """

    field: str = "d"
    descending: bool = True


@dataclass(frozen=True)
class Order:
    """The order of pages: the first key leads, each further one orders what is equal so far; at the end the ids do.

    What has no value for a key comes after all that have one, whichever way the key runs.
    """

    by: Sequence[Sort] = (Sort(),)


@dataclass(frozen=True)
class Position:
    """Where a page ended: the last row's value for each key of the order, None for one it lacks or for _id, and its id.

    Dates are UTC with milliseconds; values for sorting are texts.
    """

    values: Sequence[datetime | str | None]
    id: str


@dataclass(frozen=True)
class Range:
    """A stretch of an index where all matches of a criterion lie, though not in the order of pages.

    index  where it lies: keys, updated or id
    """

    filter: Filter
    index: str = "keys"


@dataclass(frozen=True)
class Join:
    """A criterion that another resource must meet: a match of `plan`, whose order and limit do not count.

    code     the reference parameter, as stored: `subject`
    reverse  False: a row fits that has a key `code=Type/id` of a match (chaining).
             True: a row fits whose own `Type/id` a match has under `code` (_has, _list)
    """

    code: str
    plan: "Plan"
    reverse: bool = False


@dataclass(frozen=True)
class Plan:
    """A search, all of whose criteria must hold. Filters are MongoDB's, over the names of the envelope.

    keys    for each criterion the index keys of which one must be there; they drive the search
    rest    the other criteria, which sift what was found
    joins   for each criterion about other resources the ways to meet it; any one will do
    ranges  where to look for what fits one of them: drives the search when it is little
    dated   where the clinical date of every match lies
    after   the page starts behind this row
    limit   rows of a page
    shown   the parameters whose keys are told of each row: where its references lead, for _include
    """

    type: str
    keys: Sequence[Sequence[str]] = ()
    rest: Sequence[Filter] = ()
    joins: Sequence[Sequence[Join]] = ()
    ranges: Sequence[Range] = ()
    dated: Sequence[Filter] = ()
    order: Order = field(default_factory=Order)
    after: Position | None = None
    limit: int = 20
    shown: Sequence[str] = ()
