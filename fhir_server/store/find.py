"""Runs plans: pages by keyset, each within a time limit and a limit of what is gone through for it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, islice, repeat
from typing import Any, NamedTuple, TypeVar

from fhir_server.store.database import Document
from fhir_server.store.drive import INDEXES, Driver, drive
from fhir_server.store.fetch import fetch
from fhir_server.store.join import settled
from fhir_server.store.order import VALUES, position, projection
from fhir_server.store.plan import Plan, Position
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
    if _lies_in_an_index(plan):
        return _direct(plan, reading, limit_bytes)
    return _page(plan, first(plan, plan.limit + 1, reading), reading, limit_bytes)


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
    driver = drive(plan, reading)
    # One more than asked tells whether there is a next page.
    sizes = repeat(plan.limit + 1)
    if driver.meets:
        # All that orders the rows may lie in the index: no need to fetch many, only to leave most of them out.
        slim = walked(plan, driver, reading, projection(plan.order), sizes)
        return _page(plan, list(islice(chain.from_iterable(slim), plan.limit + 1)), reading, limit_bytes)
    batches = walked(plan, driver, reading, _projection(plan), sizes)
    shown, cut = fitting(chain.from_iterable(batches), plan.limit, limit_bytes, _size)
    more = position(shown[-1], plan.order) if shown and cut else None
    return Page([_found(row, plan.shown) for row in shown], more)


def _page(plan: Plan, rows: Sequence[Mapping[str, Any]], reading: Reading, limit_bytes: int) -> Page:
    """The page that begins with these slim rows, one more than it may have."""
    wanted = {row["_id"]: row for row in rows[:plan.limit]}
    shown, cut = fitting(_contents(plan, list(wanted), reading), plan.limit, limit_bytes, _size)
    more = wanted[shown[-1]["_id"]] if cut else rows[plan.limit - 1] if 0 < plan.limit < len(rows) else None
    return Page([_found(row, plan.shown) for row in shown], position(more, plan.order) if more else None)


def _contents(plan: Plan, ids: Sequence[str], reading: Reading) -> Iterator[Document]:
    """Yields the documents of those that still match, in this order: somebody may have changed one meanwhile."""
    by_id, cut = _some(plan, ids, reading)
    for one in ids:
        if one not in by_id and cut:
            by_id, _ = _some(plan, [one], reading)
        if one in by_id:
            yield by_id[one]


def _some(plan: Plan, ids: Sequence[str], reading: Reading) -> tuple[Mapping[str, Document], bool]:
    if not ids:
        return {}, False
    driver = Driver("id", [{"_id": {"$in": list(ids)}}], few=True)
    rows, cut = fetch(plan, driver, reading, _projection(plan), len(ids))
    return {row["_id"]: row for row in rows}, cut


def _projection(plan: Plan) -> Mapping[str, int]:
    shown = {"v": 1, "ts": 1, "raw": 1}
    lead = plan.order.by[0].field
    return {**shown, **({"d": 1} if lead == "d" else {}), **({"ix": 1} if plan.shown else {})}


def _found(row: Mapping[str, Any], shown: Sequence[str]) -> Found:
    keys = [one for one in row["ix"] if one.partition("=")[0] in shown] if shown else ()
    return Found(row["_id"], row["v"], row["ts"], row["raw"], keys)


def _size(row: Mapping[str, Any]) -> int:
    return len(row["raw"])
