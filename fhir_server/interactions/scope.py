"""What a search runs over: one type, or several whose matches are merged."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from fhir_server.context import Context
from fhir_server.outcome import NotSupported, TooCostly
from fhir_server.search.include import shown
from fhir_server.search.plan import plan
from fhir_server.search.query import Query
from fhir_server.search.term import LAST
from fhir_server.store.find import Deadline, Found, Page
from fhir_server.store.plan import Order, Plan, Position, Range, Sort

# By the last update alone resources of all types can be told in order.
NEWEST = Order((Sort("ts", True),))


@dataclass(frozen=True)
class Scope:
    """Resources of one type: all, or `within` a compartment those that have one of these keys, or `only` that id."""

    type: str
    within: Sequence[str] = ()
    only: str = ""


class Row(NamedTuple):
    """One match, and its type."""

    type: str
    found: Found


@dataclass(frozen=True)
class Matches:
    """One page of what was found; `more`: where the next one starts behind; `total`: None where it is not known."""

    rows: Sequence[Row]
    more: Position | None
    total: int | None


def of_one_type(
    scopes: Sequence[Scope], queries: Sequence[Query], may_see: Sequence[str], context: Context, deadline: Deadline
) -> Matches:
    """Returns the page of the only scope, in the order that is asked for."""
    [scope], [query] = scopes, queries
    wanted = _plan(scope, query, may_see, context)
    found = context.store.find(wanted, deadline, context.config.answer_limit) if query.count else Page((), None)
    rows = [Row(scope.type, one) for one in found.rows]
    return Matches(rows, found.more, _total(query, [wanted], len(rows), found.more, context, deadline))


def merged(
    scopes: Sequence[Scope], queries: Sequence[Query], may_see: Sequence[str], context: Context, deadline: Deadline
) -> Matches:
    """Returns one page of all scopes, in the order of their last update, and of equal ones in that of the scopes.

    Raises NotSupported for another order.
    """
    query = queries[0]
    order = _by_update(query.order)
    # Of most types nothing is ever stored.
    stored = frozenset(context.store.reindex.types())
    plans = [replace(_plan(one, asked, may_see, context), order=order)
             for one, asked in zip(scopes, queries) if one.type in stored]
    rows, more = _merged(plans, order, query, context, deadline) if query.count else ((), None)
    return Matches(rows, more, _total(query, plans, len(rows), more, context, deadline))


def _plan(scope: Scope, query: Query, may_see: Sequence[str], context: Context) -> Plan:
    wanted = plan(query, may_see)
    if query.includes:
        wanted = replace(wanted, shown=shown(query.includes, scope.type, context.definitions))
    if scope.only:
        by_id = {"_id": scope.only}
        return replace(wanted, rest=[by_id, *wanted.rest], ranges=[Range(by_id, "id"), *wanted.ranges])
    return replace(wanted, keys=[tuple(scope.within), *wanted.keys]) if scope.within else wanted


def _total(
    query: Query, plans: Sequence[Plan], shown: int, more: Position | None, context: Context, deadline: Deadline
) -> int | None:
    """The total where it is asked for, or costs nothing: the first page is also the last."""
    if query.count and query.after is None and more is None:
        return shown
    if query.total == "estimate":
        with suppress(TooCostly):
            return sum(context.store.estimate(one, deadline) for one in plans)
    elif query.total or not query.count:
        return sum(context.store.count(one, deadline) for one in plans)
    return None


def _by_update(order: Order) -> Order:
    if order == Order():
        return NEWEST
    if [one.field for one in order.by] != ["ts"]:
        raise NotSupported("_sort of several types is by _lastUpdated alone.", expression="http._sort")
    return order


def _merged(
    plans: Sequence[Plan], order: Order, query: Query, context: Context, deadline: Deadline
) -> tuple[Sequence[Row], Position | None]:
    """The rows of all pages up to where the first that is cut off ends: behind it lie rows that were not read."""
    down = order.by[0].descending
    limit = context.config.answer_limit // max(len(plans), 1)
    pages = [(one.type, context.store.find(replace(one, after=after), deadline, limit))
             for one, after in zip(plans, _afters(query.after, [one.type for one in plans], down))]
    read = [Row(type_, row) for type_, page in pages for row in page.rows]
    # Sorting keeps the order of what is equal, also in reverse.
    rows = sorted(read, key=lambda one: one.found.updated, reverse=down)
    ends = {(type_, page.rows[-1].id) for type_, page in pages if page.more}
    cut = next((at + 1 for at, one in enumerate(rows) if (one.type, one.found.id) in ends), len(rows))
    shown = rows[:min(query.count, cut)]
    more = bool(ends) or len(shown) < len(rows)
    return shown, _position(shown[-1]) if more else None


def _position(row: Row) -> Position:
    return Position((row.found.updated, row.type), row.found.id)


def _afters(after: Position | None, types: Sequence[str], down: bool) -> Sequence[Position | None]:
    """Where each type goes on: of what is as old as the last row, types before its own are done, others all to come."""
    if after is None:
        return [None] * len(types)
    moment, last = after.values
    assert isinstance(moment, datetime) and isinstance(last, str)
    # Ids run as times do.
    none_left, all_left = ("", LAST) if down else (LAST, "")
    at = types.index(last)
    ids = [none_left] * at + [after.id] + [all_left] * (len(types) - at - 1)
    return [Position((moment,), one) for one in ids]
