"""The order of pages: how an index gives it, how rows that were fetched are put into it, and where a page ended."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from fhir_server.store.plan import Filter, Order, Position, Sort

Row = Mapping[str, Any]

VALUES = "s."


def index_order(lead: Sort) -> dict[str, int]:
    """Returns the sort by `lead` alone that an index gives."""
    direction = -1 if lead.descending else 1
    if lead.field in ("d", "ts"):
        return {lead.field: direction, "_id": -1 if ids_fall(lead) else 1}
    return {lead.field: direction}


def ids_fall(last: Sort) -> bool:
    """Whether what is equal by all keys of an order comes with falling ids: as the index of its last key has them."""
    return last.descending != (last.field == "d")


def behind(lead: Sort, after: Position | None) -> list[Filter]:
    """Returns what holds behind a position of the order by `lead` alone; its plain bound lets the index start there."""
    if after is None:
        return []
    on = "$lt" if lead.descending else "$gt"
    if lead.field == "_id":
        return [{"_id": {on: after.id}}]
    [value] = after.values
    if lead.field.startswith(VALUES):
        return [{lead.field: {on: f"{value}\0{after.id}"}}]
    beyond_id = {"_id": {"$lt" if ids_fall(lead) else "$gt": after.id}}
    return [{lead.field: {on + "e": value}}, {"$or": [{lead.field: {on: value}}, beyond_id]}]


def beyond(lead: Sort, value: Any) -> Filter:
    """Returns what holds of all that come after all that have `value`."""
    if not lead.field.startswith(VALUES):
        return {lead.field: {"$lt" if lead.descending else "$gt": value}}
    return {lead.field: {"$lt": f"{value}\0"} if lead.descending else {"$gt": f"{value}\1"}}


def position(row: Row, order: Order) -> Position:
    """Returns where a page ends whose last row this is."""
    values = [value(row, one.field) for one in order.by]
    return Position([one.replace(tzinfo=UTC) if isinstance(one, datetime) else one for one in values], row["_id"])


def value(row: Row, field: str) -> datetime | str | None:
    """Returns what a row is ordered by, None for what it lacks and for its id."""
    if field == "_id":
        return None
    if not field.startswith(VALUES):
        found: datetime = row[field]
        return found
    stored = row.get("s", {}).get(field.removeprefix(VALUES))
    return stored.rpartition("\0")[0] if stored is not None else None


def ordered(rows: Sequence[Row], order: Order) -> list[Row]:
    """Returns the rows in order; those without a value come after those with one."""
    found = sorted(rows, key=lambda row: row["_id"], reverse=ids_fall(order.by[-1]))
    for one in reversed(order.by):
        keys = {row["_id"]: row["_id"] if one.field == "_id" else value(row, one.field) for row in found}
        found.sort(key=lambda row: keys[row["_id"]] or "", reverse=one.descending)
        found.sort(key=lambda row: keys[row["_id"]] is None)
    return found


def after(rows: Sequence[Row], at: Position | None, order: Order) -> list[Row]:
    """Returns the ordered rows that come after a position, whether its row is among them or not."""
    if at is None:
        return list(rows)
    mark = _row(at, order)
    found = ordered([*(row for row in rows if row["_id"] != at.id), mark], order)
    return found[next(number for number, row in enumerate(found) if row is mark) + 1:]


def projection(order: Order) -> dict[str, int]:
    """Returns the fields that tell where a row stands."""
    return {one.field: 1 for one in order.by}


def _row(at: Position, order: Order) -> Row:
    """A row that stands at a position."""
    told = [(one.field, found) for one, found in zip(order.by, at.values, strict=True) if found is not None]
    fields = {name: found.replace(tzinfo=None) for name, found in told if isinstance(found, datetime)}
    values = {name.removeprefix(VALUES): f"{found}\0{at.id}" for name, found in told if isinstance(found, str)}
    return {"_id": at.id, **fields, "s": values}
