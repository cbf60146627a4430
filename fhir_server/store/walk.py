"""The matches of a settled plan in the order of its pages, as slim rows: what orders them, and how large they are."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from fhir_server.store import order as orders
from fhir_server.store.database import Document
from fhir_server.store.drive import FEW, Driver, drive, equal
from fhir_server.store.fetch import fetch, too_costly
from fhir_server.store.join import JOINED, sift
from fhir_server.store.order import VALUES, Row, beyond, ordered, value
from fhir_server.store.plan import Filter, Order, Plan, Position, Sort
from fhir_server.store.reading import Reading

Batches = Iterator[list[Document]]


def matches(plan: Plan, limit: int, reading: Reading) -> list[Row]:
    """Returns the first `limit` matches behind `plan.after`: `size` in bytes, and the fields of the order.

    Raises TooCostly.
    """
    driver = drive(plan, reading)
    lead, *further = plan.order.by
    if driver.few:
        return _kept(_sorted(plan, driver, reading), plan, limit, reading)
    if lead.field.startswith(VALUES):
        return _valued_first(plan, driver, limit, reading)
    if further and lead.field != "_id":
        return _by_groups(plan, driver, limit, reading)
    return _kept(walked(plan, driver, reading, _shown(plan), _growing(limit)), plan, limit, reading)


def walked(
    plan: Plan, driver: Driver, reading: Reading, shown: Mapping[str, Any], sizes: Iterable[int],
    start: Sequence[Filter] | None = None,
) -> Batches:
    """Yields all matches, joins aside, in the order of the first key of the plan, in batches of these sizes.

    start  where to begin, if not behind `plan.after`
    """
    lead = plan.order.by[0]
    order, sort = Order((lead,)), orders.index_order(lead)
    behind = orders.behind(lead, plan.after) if start is None else start
    for size in sizes:
        rows, cut = fetch(plan, driver, reading, shown, size, sort, behind)
        yield rows
        if len(rows) < size and not cut:
            return
        behind = orders.behind(lead, orders.position(rows[-1], order))


def _sorted(plan: Plan, driver: Driver, reading: Reading) -> Batches:
    """Yields the few matches, joins aside, in order."""
    rows, cut = fetch(plan, driver, reading, {**_SIZE, **orders.projection(plan.order)}, 2 * FEW)
    if cut:
        raise too_costly(plan, reading)
    found = orders.after(ordered(rows, plan.order), plan.after, plan.order)
    for start in range(0, len(found), JOINED):
        some = found[start:start + JOINED]
        yield _with_keys(some, plan.type, reading) if plan.joins else [dict(row) for row in some]


def _with_keys(rows: list[Row], type_: str, reading: Reading) -> list[Document]:
    found, _ = reading.rows(type_, {"_id": {"$in": [row["_id"] for row in rows]}}, {"ix": 1}, len(rows))
    keys = {row["_id"]: row["ix"] for row in found}
    return [{**row, "ix": keys[row["_id"]]} for row in rows if row["_id"] in keys]


def _kept(batches: Batches, plan: Plan, limit: int, reading: Reading) -> list[Row]:
    """The first rows that meet the joins, too."""
    found: list[Row] = []
    examined = 0
    for rows in batches:
        examined += len(rows)
        found += sift(rows, plan, reading)
        if len(found) >= limit:
            break
        if examined > reading.examine:
            raise too_costly(plan, reading)
    return found[:limit]


def _valued_first(plan: Plan, driver: Driver, limit: int, reading: Reading) -> list[Row]:
    """What has no value for the first key comes last, in the order of the further ones."""
    lead, *further = plan.order.by
    found: list[Row] = []
    if plan.after is None or plan.after.values[0] is not None:
        found = _by_groups(plan, driver, limit, reading)
        plan = replace(plan, after=None)
    if len(found) == limit:
        return found
    missing = replace(
        plan,
        rest=[*plan.rest, {lead.field: {"$exists": False}}],
        order=Order(tuple(further) or (Sort("_id", lead.descending),)),
        after=_within(plan.after),
    )
    return [*found, *matches(missing, limit - len(found), reading)]


def _by_groups(plan: Plan, driver: Driver, limit: int, reading: Reading) -> list[Row]:
    """Walks by the first key alone; what is equal by it is put into the order of the further ones."""
    lead, *further = plan.order.by
    if not further:
        return _kept(walked(plan, driver, reading, _shown(plan), _growing(limit)), plan, limit, reading)
    found: list[Row] = []
    start: list[Filter] = []
    if plan.after is not None:
        found = matches(_group(plan, plan.after.values[0], _within(plan.after)), limit, reading)
        start = [beyond(lead, plan.after.values[0])]
    left = limit - len(found)
    if not left:
        return found
    # One more than wanted tells whether the last group goes on.
    batches = walked(plan, driver, reading, _shown(plan), _growing(left + 1), start)
    rows = _kept(batches, plan, left + 1, reading)
    groups = [list(group) for _, group in groupby(rows, key=lambda row: value(row, lead.field))]
    last = groups.pop() if len(rows) > left else []
    found += [row for group in groups for row in ordered(group, plan.order)]
    if last:
        found += matches(_group(plan, value(last[0], lead.field), None), limit - len(found), reading)
    return found


def _group(plan: Plan, of: Any, after: Position | None) -> Plan:
    """The matches that are equal by the first key, in the order of the further ones."""
    lead, *further = plan.order.by
    return replace(equal(plan, lead.field, of), order=Order(tuple(further)), after=after)


def _within(after: Position | None) -> Position | None:
    """The same position in an order without the first key, or with ids alone where there is no other."""
    return Position(tuple(after.values[1:]) or (None,), after.id) if after else None


_SIZE = {"size": {"$binarySize": "$raw"}}


def _shown(plan: Plan) -> dict[str, Any]:
    return {**_SIZE, **orders.projection(plan.order), **({"ix": 1} if plan.joins else {})}


def _growing(first: int) -> Iterator[int]:
    size = max(first, 1)
    while True:
        yield size
        size = max(size, min(2 * size, JOINED))
