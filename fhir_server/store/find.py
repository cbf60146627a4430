"""Runs plans: pages by keyset, each within a time limit and a limit of what is gone through for it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any, NamedTuple, TypeVar

from fhir_server.store.database import Document
from fhir_server.store.drive import INDEXES, Driver, drive
from fhir_server.store.fetch import fetch
from fhir_server.store.join import settled
from fhir_server.store.order import VALUES, position
from fhir_server.store.plan import Order, Plan, Position
from fhir_server.store.reading import Deadline, Reading
from fhir_server.store.walk import first, walked

__all__ = ["ANSWER_LIMIT", "INDEXES", "Deadline", "Found", "Page", "find", "fitting"]

Row = TypeVar("Row")

# So many bytes of rows go into one page; the first row always does.
ANSWER_LIMIT = 64 * 1024 * 1024


class Found(NamedTuple):
    """One match.

    stamp  its last update in UTC, as the database tells it: without a zone
    raw    the JSON sent to clients
    keys   the index keys of the parameters that the plan shows
    """

    id: str
    version: int
    stamp: datetime
    raw: bytes
    keys: Sequence[str] = ()

    @property
    def updated(self) -> datetime:
        return self.stamp.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Page:
    """One page of matches; `more` is where the next page starts behind, None on the last one."""

    rows: Sequence[Found]
    more: Position | None


def find(plan: Plan, reading: Reading, limit_bytes: int = ANSWER_LIMIT) -> Page:
    """Returns the page of `plan`, cut off before its rows hold more than `limit_bytes`.

    Raises TooCostly when it takes too long, or would go through too much.
    """
    plan = settled(plan, reading) if plan.joins else plan
    return _direct(plan, reading, limit_bytes) if _lies_in_an_index(plan) else _picked(plan, reading, limit_bytes)


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


def _lies_in_an_index(plan: Plan) -> bool:
    """Whether the order does, and nothing else is to be asked of its rows."""
    return not plan.joins and len(plan.order.by) == 1 and not plan.order.by[0].field.startswith(VALUES)


def _direct(plan: Plan, reading: Reading, limit_bytes: int) -> Page:
    # One more than asked tells whether there is a next page.
    batches = walked(plan, drive(plan, reading), reading, _projection(plan), repeat(plan.limit + 1))
    shown, cut = fitting(chain.from_iterable(batches), plan.limit, limit_bytes, lambda row: len(row["raw"]))
    return Page([_found(row, plan.shown) for row in shown], _more(shown, cut, plan.order))


def _picked(plan: Plan, reading: Reading, limit_bytes: int) -> Page:
    """Finds slim rows first, and then the contents of the few that make the page."""
    rows = first(plan, plan.limit + 1, reading)
    shown, cut = fitting(rows, plan.limit, limit_bytes, lambda row: int(row["size"]))
    contents = _contents(plan, [row["_id"] for row in shown], reading)
    found = [_found(contents[row["_id"]], plan.shown) for row in shown if row["_id"] in contents]
    return Page(found, _more(shown, cut, plan.order))


def _contents(plan: Plan, ids: Sequence[str], reading: Reading) -> Mapping[str, Document]:
    """The documents of those that still match, by id: somebody may have changed one meanwhile."""
    found: dict[str, Document] = {}
    left, cut = list(ids), True
    while left and cut:
        driver = Driver("id", [{"_id": {"$in": left}}], few=True)
        rows, cut = fetch(plan, driver, reading, _projection(plan), len(left))
        found.update((row["_id"], row) for row in rows)
        left = [one for one in left if one not in found]
    return found


def _projection(plan: Plan) -> Mapping[str, int]:
    shown = {"v": 1, "ts": 1, "raw": 1}
    lead = plan.order.by[0].field
    return {**shown, **({"d": 1} if lead == "d" else {}), **({"ix": 1} if plan.shown else {})}


def _found(row: Mapping[str, Any], shown: Sequence[str]) -> Found:
    keys = [one for one in row["ix"] if one.partition("=")[0] in shown] if shown else ()
    return Found(row["_id"], row["v"], row["ts"], row["raw"], keys)


def _more(shown: Sequence[Mapping[str, Any]], cut: bool, order: Order) -> Position | None:
    return position(shown[-1], order) if shown and cut else None
