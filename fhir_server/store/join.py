"""Criteria about other resources: turned into keys or ids where few others meet them, else asked of each row.

A chain leads from a row to others, `_has` and `_list` from others to the row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fhir_server.store.drive import Driver, any_of, by_keys, few, within
from fhir_server.store.fetch import fetch
from fhir_server.store.order import Row, behind, index_order, position
from fhir_server.store.plan import Join, Order, Plan, Range
from fhir_server.store.reading import Reading

_SHOWN = {"ix": 1, "d": 1}


@dataclass(frozen=True)
class _Met:
    """How a row meets a criterion: by one of these keys, or these ids."""

    keys: Sequence[str] = ()
    ids: Sequence[str] = ()


def settled(plan: Plan, reading: Reading) -> Plan:
    """Returns the same search with no joins but those that too many other resources meet."""
    left = []
    for ways in plan.joins:
        inner = [replace(one, plan=settled(one.plan, reading)) for one in ways]
        if (met := _met(inner, plan.type, reading)) is None:
            left.append(inner)
        else:
            plan = _with(plan, met)
    return replace(plan, joins=left)


def sift(rows: Sequence[Row], plan: Plan, reading: Reading) -> list[Row]:
    """Returns those of the rows, which show `ix`, that meet all joins of a settled plan."""
    found = list(rows)
    for ways in plan.joins:
        fit: set[str] = set()
        for one in ways:
            left = [row for row in found if row["_id"] not in fit]
            fit |= _leading_in(left, one, plan.type, reading) if one.reverse else _leading_out(left, one, reading)
        found = [row for row in found if row["_id"] in fit]
    return found


def listed(plan: Plan, reading: Reading) -> tuple[set[str] | None, Plan]:
    """Returns the ids of all that others refer to as a settled plan asks, and the plan without what that told.

    None instead of ids where too many others would have to be gone through for it.
    """
    ids: set[str] | None = None
    left = []
    for ways in plan.joins:
        if (found := _listed(ways, plan.type, reading)) is None:
            left.append(ways)
        else:
            ids = found if ids is None else ids & found
    return ids, replace(plan, joins=left)


def _listed(ways: Sequence[Join], type_: str, reading: Reading) -> set[str] | None:
    found: set[str] = set()
    for one in ways:
        driver = by_keys(one.plan) if one.reverse and one.plan.keys else None
        if driver is None or within(one.plan, reading.examine, reading) is None:
            return None
        start = f"{one.code}={type_}/"
        for rows in _batches(one.plan, driver, reading):
            found |= {key.removeprefix(start) for row in rows for key in row["ix"] if key.startswith(start)}
    return found


def _batches(plan: Plan, driver: Driver, reading: Reading) -> Iterator[list[Row]]:
    """Yields all matches, in the order in which keys lead to them."""
    order, after = Order(), None
    [lead] = order.by
    while True:
        rows, cut = fetch(plan, driver, reading, _SHOWN, reading.few, index_order(lead), behind(lead, after))
        yield sift(rows, plan, reading)
        if len(rows) < reading.few and not cut:
            return
        after = position(rows[-1], order)


def _with(plan: Plan, met: _Met) -> Plan:
    if not met.ids:
        return replace(plan, keys=[*plan.keys, tuple(met.keys)])
    by_id = {"_id": {"$in": list(met.ids)}}
    if met.keys:
        return replace(plan, rest=[*plan.rest, {"$or": [any_of(met.keys), by_id]}])
    return replace(plan, rest=[*plan.rest, by_id], ranges=[*plan.ranges, Range(by_id, "id")])


def _met(ways: Sequence[Join], type_: str, reading: Reading) -> _Met | None:
    """How one of `ways` is met, None where by too many."""
    keys: list[str] = []
    ids: list[str] = []
    for one in ways:
        found = _few_rows(one, reading)
        if found is None:
            return None
        if one.reverse:
            start = f"{one.code}={type_}/"
            ids += {key.removeprefix(start) for row in found for key in row["ix"] if key.startswith(start)}
        else:
            keys += [f"{one.code}={one.plan.type}/{row['_id']}" for row in found]
    return _Met(keys, sorted(set(ids))) if max(len(keys), len(set(ids))) <= reading.joined else None


def _few_rows(join: Join, reading: Reading) -> list[Row] | None:
    """All matches of the join, where a few lead to them."""
    driver = few(join.plan, reading)
    if driver is None:
        return None
    # Without more to look at, one more than may be is enough; ids alone come out of the index.
    slim = not (join.reverse or join.plan.joins)
    shown, limit = ({"_id": 1}, reading.joined + 1) if slim else (_SHOWN, 2 * reading.few)
    rows, cut = fetch(join.plan, driver, reading, shown, limit)
    return None if cut else sift(rows, join.plan, reading)


def _leading_out(rows: Sequence[Row], join: Join, reading: Reading) -> set[str]:
    """The ids of rows that refer to a match of the join."""
    start = f"{join.code}={join.plan.type}/"
    targets = {row["_id"]: [key.removeprefix(start) for key in row["ix"] if key.startswith(start)] for row in rows}
    matches = among(sorted({one for found in targets.values() for one in found}), join.plan, reading)
    return {id_ for id_, found in targets.items() if not matches.isdisjoint(found)}


def among(ids: Sequence[str], plan: Plan, reading: Reading) -> set[str]:
    """Returns those of the ids that match a settled plan."""
    found: set[str] = set()
    for some in _chunks(ids, reading.joined):
        driver = Driver("id", [{"_id": {"$in": some}}], few=True)
        shown = _SHOWN if plan.joins else {"_id": 1}
        rows, _ = fetch(plan, driver, reading, shown, len(some))
        found |= {row["_id"] for row in sift(rows, plan, reading)}
    return found


def _leading_in(rows: Sequence[Row], join: Join, type_: str, reading: Reading) -> set[str]:
    """The ids of rows that a match of the join refers to."""
    found: set[str] = set()
    for some in _chunks([row["_id"] for row in rows], reading.joined):
        found |= _referred({f"{join.code}={type_}/{id_}": id_ for id_ in some}, join.plan, reading)
    return found


def _referred(keys: Mapping[str, str], plan: Plan, reading: Reading) -> set[str]:
    """Those of `keys` that a match of the plan has, by their ids; a key that was met is not looked for again."""
    order = Order()
    [lead] = order.by
    left, after = set(keys), None
    while left:
        driver = Driver("keys", [any_of(sorted(left))], few=True)
        rows, cut = fetch(plan, driver, reading, _SHOWN, reading.few, index_order(lead), behind(lead, after))
        for row in sift(rows, plan, reading):
            left.difference_update(row["ix"])
        if len(rows) < reading.few and not cut:
            break
        after = position(rows[-1], order)
    return {id_ for key, id_ in keys.items() if key not in left}


def _chunks(ids: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(ids), size):
        yield list(ids[start:start + size])
