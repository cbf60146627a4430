"""What drives a search: the index that MongoDB goes by, narrowed by some of the criteria.

Keys come out of the index in the order of newest-first pages; a range does not, so it drives only when a bounded probe
finds it small. All else sifts, hidden from MongoDB's choice of index (design: one inverted index).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bson import MaxKey, MinKey

from fhir_server.store.plan import LIVE, Filter, Plan, Range
from fhir_server.store.reading import Reading

Index = Sequence[tuple[str, int]]

# Every index of a live collection besides MongoDB's own, each by a name of ours.
INDEXES: Mapping[str, Index] = {
    "keys": (("ix", 1), ("d", -1), ("_id", 1)),
    "updated": (("ts", 1), ("_id", 1)),
    # Values for sorting, of whatever parameters.
    "sorted": (("s.$**", 1),),
    # What was made with other search parameters than those of now.
    "hash": (("ph", 1),),
}
HINTS: Mapping[str, Mapping[str, int]] = {**{name: dict(index) for name, index in INDEXES.items()}, "id": {"_id": 1}}

# Above every character that a key holds: where a stretch ends of what starts with a text.
LAST = "\U0010ffff"

_LIVE: Filter = {"ix": LIVE}
# By these indexes no tombstone is found: it has no keys and no values.
_ONLY_LIVE = ("", "keys", "sorted")


@dataclass(frozen=True)
class Driver:
    """How MongoDB is to go: through `index`, narrowed by `filters` alone; no index: it chooses the key to go by.

    few    there is so little that it may be sorted
    meets  criteria that hold of all that is met on this way
    """

    index: str
    filters: Sequence[Filter]
    few: bool = False
    meets: Sequence[Filter] = ()

    @property
    def hint(self) -> Mapping[str, int] | None:
        return HINTS.get(self.index)


def drive(plan: Plan, reading: Reading) -> Driver:
    """Returns keys where they lead in order, else what is few, else the order itself."""
    lead = plan.order.by[0].field
    in_order = bool(plan.keys) and lead == "d"
    if in_order and not plan.ranges and len(plan.order.by) == 1:
        return by_keys(plan)
    return few(plan, reading) or (by_keys(plan) if in_order else walk(plan, lead))


def by_keys(plan: Plan) -> Driver:
    """Without a hint MongoDB learns which of several keys to go by."""
    return Driver("", [*map(any_of, plan.keys), *dated(plan)])


def few(plan: Plan, reading: Reading) -> Driver | None:
    """Returns what leads to all matches and is little, None where nothing is."""
    found = within(plan, reading.few, reading)
    return replace(found, few=True) if found else None


def within(plan: Plan, limit: int, reading: Reading) -> Driver | None:
    """Returns what leads to all matches by at most `limit` keys, None where nothing does."""
    return next((one for one in _candidates(plan) if _leads_to_at_most(limit, one, plan.type, reading)), None)


def _candidates(plan: Plan) -> Iterator[Driver]:
    dates = dated(plan)
    for keys in plan.keys:
        yield Driver("keys", [any_of(keys), *dates])
    for one in plan.ranges:
        yield _stretch(one)
    if dates and not plan.keys:
        yield Driver("keys", [_LIVE, *dates])


def _stretch(range: Range) -> Driver:
    """As a regular expression MongoDB decides by the keys alone what starts with a text, and fetches nothing for it."""
    match range.filter:
        case {"ix": {"$elemMatch": {"$gte": low, "$lt": high}}} if high == low + LAST and "\0" not in low:
            return Driver(range.index, [{"ix": {"$regex": "^" + re.escape(low)}}], meets=[range.filter])
    return Driver(range.index, [range.filter])


def walk(plan: Plan, field: str) -> Driver:
    """Returns the way through all resources in the order of `field`."""
    if field == "d":
        return Driver("keys", [_LIVE, *dated(plan)])
    if field in _WALKS:
        index = _WALKS[field]
        return Driver(index, [one.filter for one in plan.ranges if one.index == index])
    return Driver("sorted", [{field: {"$gt": ""}}])


_WALKS = {"ts": "updated", "_id": "id"}


def criteria(plan: Plan, driver: Driver) -> tuple[Sequence[Filter], Sequence[Filter]]:
    """Returns what drives and what sifts, of all criteria that are not about other resources."""
    live = [] if driver.index in _ONLY_LIVE else [_LIVE]
    known = [*driver.filters, *driver.meets]
    others = [*live, *map(any_of, plan.keys), *dated(plan), *plan.rest]
    return driver.filters, [_aside(one) for one in others if one not in known]


def together(filters: Sequence[Filter]) -> Filter:
    """Returns one filter for all of them."""
    return filters[0] if len(filters) == 1 else {"$and": list(filters)} if filters else {}


def any_of(keys: Sequence[str]) -> Filter:
    """Returns the criterion of one of these keys."""
    return {"ix": keys[0]} if len(keys) == 1 else {"ix": {"$in": list(keys)}}


def dated(plan: Plan) -> list[Filter]:
    """Returns where the clinical date of every match lies."""
    return [{"d": one} for one in plan.dated]


def _aside(criterion: Filter) -> Filter:
    """The same criterion in a form that MongoDB never takes for the bounds of an index scan."""
    return {"$nor": [{"$nor": [criterion]}]}


def _leads_to_at_most(limit: int, driver: Driver, type_: str, reading: Reading) -> bool:
    match driver.filters:
        case [{"ix": {"$elemMatch": {"$gte": low, "$lt": high, **rest}}}] if not rest:
            return low >= high or not _goes_beyond(limit, low, high, type_, reading)
    return reading.count(type_, together(driver.filters), driver.hint, limit + 1) <= limit


def _goes_beyond(limit: int, low: str, high: str, type_: str, reading: Reading) -> bool:
    """Whether more lie in a stretch of keys. Told by bounds, MongoDB fetches no document for it."""
    found, _ = reading.rows(
        type_, {}, {"_id": 1}, 1, hint=HINTS["keys"], skip=limit, min=_bound(low), max=_bound(high))
    return bool(found)


def _bound(text: str) -> dict[str, Any]:
    return {"ix": text, "d": MaxKey(), "_id": MinKey()}


def equal(plan: Plan, field: str, value: Any) -> Plan:
    """Returns the plan for those matches only that have `value`, of the index of an order."""
    if field == "d":
        return replace(plan, dated=[*plan.dated, {"$eq": value}])
    index, filter = ("updated", {"ts": value}) if field == "ts" else ("sorted", {field: same(value)})
    return replace(plan, rest=[*plan.rest, filter], ranges=[*plan.ranges, Range(filter, index)])


def same(text: str) -> Filter:
    """Returns the bounds of the stored values for sorting that have this text; after it comes NUL and the id."""
    return {"$gt": f"{text}\0", "$lt": f"{text}\1"}
