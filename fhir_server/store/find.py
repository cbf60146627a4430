"""Runs plans: pages by keyset, exact counts, each within a time limit (design: one inverted index).

What drives a search is decided here. Keys come out of the index in the order of newest-first pages; a range does not,
so it drives only when a bounded probe finds it small. All else sifts, hidden from MongoDB's choice of index.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any, TypeVar

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import ExecutionTimeout

from fhir_server.outcome import TooCostly
from fhir_server.store.plan import LIVE, Filter, Order, Plan, Position

Index = Sequence[tuple[str, int]]
Documents = Collection[dict[str, Any]]
Row = TypeVar("Row")

# Every index of a live collection besides MongoDB's own, each by a name of ours.
INDEXES: Mapping[str, Index] = {
    "keys": (("ix", 1), ("d", -1), ("_id", 1)),
    "updated": (("ts", 1), ("_id", 1)),
    # What was made with other search parameters than those of now.
    "hash": (("ph", 1),),
}
_HINTS: Mapping[str, Index] = {**INDEXES, "id": (("_id", 1),)}

# Up to this many matches are fetched and sorted; more are met soon enough on a walk in order.
FEW = 2000
TIME_LIMIT_MS = 10_000
# So many bytes of rows go into one page; the first row always does.
ANSWER_LIMIT = 64 * 1024 * 1024

_ADVICE = "The search takes too long. Name a patient, or narrow it by a code, an identifier or a shorter period."
_LIVE: Filter = {"ix": {"$in": [LIVE]}}
_SHOWN = {"v": 1, "ts": 1, "raw": 1}


@dataclass(frozen=True)
class Deadline:
    """When a search must have ended, its probes, its page and its total together: `end` by the monotonic clock."""

    end: float

    @classmethod
    def after(cls, ms: int = TIME_LIMIT_MS) -> "Deadline":
        return cls(monotonic() + ms / 1000)

    def left_ms(self) -> int:
        """Returns the time that is left. Raises TooCostly when there is none."""
        left = int((self.end - monotonic()) * 1000)
        if left < 1:
            raise TooCostly(_ADVICE)
        return left


@dataclass(frozen=True)
class Found:
    """One match; `raw` is the JSON sent to clients, `keys` the index keys of the parameters that the plan shows."""

    id: str
    version: int
    updated: datetime
    raw: bytes
    keys: Sequence[str] = ()


@dataclass(frozen=True)
class Page:
    """One page of matches; `more` is where the next page starts behind, None on the last one."""

    rows: Sequence[Found]
    more: Position | None


@dataclass(frozen=True)
class _Driver:
    """How MongoDB is to go: through `index`, narrowed by `filters` alone; no index: it chooses the key to go by."""

    index: str
    filters: Sequence[Filter]

    @property
    def hint(self) -> dict[str, Any]:
        return {"hint": _HINTS[self.index]} if self.index else {}


# The index in which an order of pages lies, and how ids run in it where the field descends.
_WALKS: Mapping[str, tuple[str, int]] = {"d": ("keys", 1), "ts": ("updated", -1), "_id": ("id", -1)}


def find(
    collection: Documents, plan: Plan, deadline: Deadline, limit_bytes: int = ANSWER_LIMIT,
    session: ClientSession | None = None,
) -> Page:
    """Returns the page of `plan`, cut off before its rows hold more than `limit_bytes`.

    Raises TooCostly when it takes too long.
    """
    with _patient():
        driver = _driver(collection, plan, deadline, session)
        # One more than asked tells whether there is a next page.
        with collection.find(
            _filter(plan, driver, list(_behind(plan))), _projection(plan), session=session,
            sort=_sort(plan.order), limit=plan.limit + 1, max_time_ms=deadline.left_ms(), **driver.hint
        ) as cursor:
            shown, cut = fitting(cursor, plan.limit, limit_bytes, lambda one: len(one["raw"]))
    more = _position(shown[-1], plan.order) if shown and cut else None
    return Page([_found(one, plan.shown) for one in shown], more)


def _projection(plan: Plan) -> Mapping[str, int]:
    return {**_SHOWN, plan.order.by[0].field: 1, **({"ix": 1} if plan.shown else {})}


def _found(row: Mapping[str, Any], shown: Sequence[str]) -> Found:
    keys = [one for one in row["ix"] if one.partition("=")[0] in shown] if shown else ()
    return Found(row["_id"], row["v"], row["ts"], row["raw"], keys)


def fitting(rows: Iterable[Row], limit: int, limit_bytes: int, size: Callable[[Row], int]) -> tuple[list[Row], bool]:
    """Returns the first rows, as many as both limits let in, however large the first is, and whether there are more."""
    found: list[Row] = []
    left = limit_bytes
    for row in rows:
        left -= size(row)
        if len(found) >= limit or (found and left < 0):
            return found, True
        found.append(row)
    return found, False


def count(collection: Documents, plan: Plan, deadline: Deadline, session: ClientSession | None = None) -> int:
    """Returns how many resources match, wherever the page starts. Raises TooCostly when it takes too long."""
    with _patient():
        driver = _driver(collection, plan, deadline, session)
        return collection.count_documents(_filter(plan, driver), session, maxTimeMS=deadline.left_ms(), **driver.hint)


@contextmanager
def _patient() -> Iterator[None]:
    """Turns the database's time-out into FHIR's too-costly."""
    try:
        yield
    except ExecutionTimeout:
        raise TooCostly(_ADVICE) from None


def _driver(collection: Documents, plan: Plan, deadline: Deadline, session: ClientSession | None) -> _Driver:
    """Keys where they lead in order or are few; else a small range; else the order itself."""
    keys = [_any_of(one) for one in plan.keys]
    in_order = bool(keys) and plan.order.by[0].field == "d"
    # A hint would keep MongoDB from remembering which of several keys it went by.
    by_keys = _Driver("" if in_order else "keys", keys)
    if in_order and not plan.ranges:
        return by_keys
    if any(_few(collection, _Driver("keys", [one]), deadline, session) for one in keys):
        return by_keys
    for one in plan.ranges:
        by_range = _Driver(one.index, [one.filter])
        if _few(collection, by_range, deadline, session):
            return by_range
    index, _ = _WALKS[plan.order.by[0].field]
    return by_keys if in_order else _Driver(index, [_LIVE] if index == "keys" else [])


def _few(collection: Documents, driver: _Driver, deadline: Deadline, session: ClientSession | None) -> bool:
    found = collection.count_documents(
        {"$and": driver.filters}, session, limit=FEW + 1, maxTimeMS=deadline.left_ms(), **driver.hint)
    return found <= FEW


def _filter(plan: Plan, driver: _Driver, behind: Sequence[Filter] = ()) -> Filter:
    """All criteria, those that do not drive set aside."""
    criteria = [_LIVE, *map(_any_of, plan.keys), *plan.rest]
    sifting = [_aside(one) for one in criteria if one not in driver.filters]
    dated = [{"d": one} for one in plan.dated]
    return {"$and": [*driver.filters, *dated, *sifting, *behind]}


def _any_of(keys: Sequence[str]) -> Filter:
    return {"ix": {"$in": list(keys)}}


def _aside(criterion: Filter) -> Filter:
    """The same criterion in a form that MongoDB never takes for the bounds of an index scan."""
    return {"$nor": [{"$nor": [criterion]}]}


def _behind(plan: Plan) -> Iterator[Filter]:
    """Rows behind the position; the plain bound on the field lets the index start there."""
    if plan.after is None:
        return
    field, down = plan.order.by[0].field, plan.order.by[0].descending
    _, tie = _WALKS[field]
    ids_up = (tie == 1) == down
    beyond = {"_id": {"$gt" if ids_up else "$lt": plan.after.id}}
    if field == "_id":
        yield beyond
        return
    [value] = plan.after.values
    yield {field: {"$lte" if down else "$gte": value}}
    yield {"$or": [{field: {"$lt" if down else "$gt": value}}, beyond]}


def _sort(order: Order) -> Index:
    [lead] = order.by
    _, tie = _WALKS[lead.field]
    direction = -1 if lead.descending else 1
    ids = ("_id", -direction * tie)
    return [ids] if lead.field == "_id" else [(lead.field, direction), ids]


def _position(document: Mapping[str, Any], order: Order) -> Position:
    return Position([document[one.field] if one.field != "_id" else None for one in order.by], document["_id"])
