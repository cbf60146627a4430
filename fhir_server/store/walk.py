"""The matches of a settled plan in the order of its pages, as slim rows: their ids, and what orders them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from fhir_server.store import order as orders
from fhir_server.store.drive import Driver, drive, equal
from fhir_server.store.fetch import fetch, too_costly
from fhir_server.store.join import sift
from fhir_server.store.order import VALUES, Row, beyond, ordered, value
from fhir_server.store.plan import Filter, Order, Plan, Position, Sort
from fhir_server.store.reading import Reading

Batches = Iterator[Sequence[Row]]


def first(plan: Plan, limit: int, reading: Reading) -> list[Row]:
    """Returns the first `limit` matches behind `plan.after`: their ids, and the fields of the order.

    Raises TooCostly.
    """
    shown = {**orders.projection(plan.order), **({"ix": 1} if plan.joins else {})}
    return _Walk(reading, shown).first(plan, limit)


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


@dataclass(frozen=True)
class _Walk:
    """Walks a plan, and for it plans of a part of its matches, whose rows all show the same."""

    reading: Reading
    shown: Mapping[str, Any]

    def first(self, plan: Plan, limit: int) -> list[Row]:
        driver = drive(plan, self.reading)
        lead, *further = plan.order.by
        if driver.few:
            return self._kept(self._sorted(plan, driver), plan, limit)
        if lead.field.startswith(VALUES):
            return self._valued_first(plan, driver, limit)
        if further and lead.field != "_id":
            return self._by_groups(plan, driver, limit)
        return self._straight(plan, driver, limit)

    def _straight(self, plan: Plan, driver: Driver, limit: int, start: Sequence[Filter] | None = None) -> list[Row]:
        sizes = _growing(limit, self.reading.joined)
        return self._kept(walked(plan, driver, self.reading, self.shown, sizes, start), plan, limit)

    def _sorted(self, plan: Plan, driver: Driver) -> Batches:
        """Yields the few matches, joins aside, in order."""
        shown = {name: one for name, one in self.shown.items() if name != "ix"}
        rows, cut = fetch(plan, driver, self.reading, shown, 2 * self.reading.few)
        if cut:
            raise too_costly(plan, self.reading)
        found = orders.after(ordered(rows, plan.order), plan.after, plan.order)
        for start in range(0, len(found), self.reading.joined):
            some = found[start:start + self.reading.joined]
            yield self._with_keys(some, plan.type) if plan.joins else some

    def _with_keys(self, rows: Sequence[Row], type_: str) -> list[Row]:
        ids = [row["_id"] for row in rows]
        found, _ = self.reading.rows(type_, {"_id": {"$in": ids}}, {"ix": 1}, len(ids))
        keys = {row["_id"]: row["ix"] for row in found}
        return [{**row, "ix": keys[row["_id"]]} for row in rows if row["_id"] in keys]

    def _kept(self, batches: Batches, plan: Plan, limit: int) -> list[Row]:
        """The first rows that meet the joins, too."""
        found: list[Row] = []
        examined = 0
        for rows in batches:
            examined += len(rows)
            found += sift(rows, plan, self.reading)
            if len(found) >= limit:
                break
            if examined > self.reading.examine:
                raise too_costly(plan, self.reading)
        return found[:limit]

    def _valued_first(self, plan: Plan, driver: Driver, limit: int) -> list[Row]:
        """What has no value for the first key comes last, in the order of the further ones."""
        lead, *further = plan.order.by
        found: list[Row] = []
        if plan.after is None or plan.after.values[0] is not None:
            found = self._by_groups(plan, driver, limit) if further else self._straight(plan, driver, limit)
            plan = replace(plan, after=None)
        if len(found) == limit:
            return found
        missing = replace(
            plan,
            rest=[*plan.rest, {lead.field: {"$exists": False}}],
            order=Order(tuple(further) or (Sort("_id", lead.descending),)),
            after=_within(plan.after),
        )
        return [*found, *self.first(missing, limit - len(found))]

    def _by_groups(self, plan: Plan, driver: Driver, limit: int) -> list[Row]:
        """Walks by the first key alone; what is equal by it is put into the order of the further ones."""
        lead = plan.order.by[0]
        found: list[Row] = []
        start: list[Filter] = []
        if plan.after is not None:
            found = self.first(_group(plan, plan.after.values[0], _within(plan.after)), limit)
            start = [beyond(lead, plan.after.values[0])]
        left = limit - len(found)
        if not left:
            return found
        # One more than wanted tells whether the last group goes on.
        rows = self._straight(plan, driver, left + 1, start)
        groups = [list(group) for _, group in groupby(rows, key=lambda row: value(row, lead.field))]
        last = groups.pop() if len(rows) > left else []
        found += [row for group in groups for row in ordered(group, plan.order)]
        if last:
            found += self.first(_group(plan, value(last[0], lead.field), None), limit - len(found))
        return found


def _group(plan: Plan, of: Any, after: Position | None) -> Plan:
    """The matches that are equal by the first key, in the order of the further ones."""
    lead, *further = plan.order.by
    return replace(equal(plan, lead.field, of), order=Order(tuple(further)), after=after)


def _within(after: Position | None) -> Position | None:
    """The same position in an order without the first key, or with ids alone where there is no other."""
    return Position(tuple(after.values[1:]) or (None,), after.id) if after else None


def _growing(first: int, most: int) -> Iterator[int]:
    size = max(first, 1)
    while True:
        yield size
        size = max(size, min(2 * size, most))
