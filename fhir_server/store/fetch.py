"""Rows by one driver, sifted by the other criteria, with a bound on how many resources are gone through for them."""

from collections.abc import Mapping, Sequence
from typing import Any

from fhir_server.outcome import TooCostly
from fhir_server.store.database import Document
from fhir_server.store.drive import Driver, any_of, criteria, dated, together
from fhir_server.store.plan import Filter, Plan
from fhir_server.store.reading import Index, Reading, Slow
from fhir_server.store.words import about, listed


def fetch(
    plan: Plan,
    driver: Driver,
    reading: Reading,
    projection: Mapping[str, Any],
    limit: int,
    sort: Index | None = None,
    behind: Sequence[Filter] = (),
) -> tuple[list[Document], bool]:
    """Returns up to `limit` matches, joins aside, and whether they are fewer because they are too large for one reply.

    Raises TooCostly where it would have to go through more than `reading.examine`.
    """
    drives, sifts = criteria(plan, driver)
    every = together([*drives, *behind, *sifts])
    ms = {"ms": reading.quick} if _may_be_long(plan, driver, sifts, reading) else {}
    try:
        return reading.rows(plan.type, every, projection, limit, sort, driver.hint, **ms)
    except Slow:
        if not ms:
            raise
    return _bounded(plan, narrowest(plan, driver, reading), reading, projection, limit, sort, behind)


def narrowest(plan: Plan, driver: Driver, reading: Reading) -> Driver:
    """Returns the driver, or where MongoDB was to choose among keys that of which the fewest resources have one."""
    if driver.index:
        return driver
    ways = [Driver("keys", [any_of(keys), *dated(plan)]) for keys in plan.keys]
    return min(ways, key=lambda way: examined(plan, way, reading))


def examined(plan: Plan, driver: Driver, reading: Reading, behind: Sequence[Filter] = ()) -> int:
    """Returns how many resources a driver leads through, counted up to one more than may be examined."""
    return reading.count(plan.type, together([*driver.filters, *behind]), driver.hint, reading.examine + 1)


def too_costly(plan: Plan, reading: Reading, advice: str = "") -> TooCostly:
    """Returns the refusal of a search that would go through too much."""
    codes = listed(about(*plan.rest, *map(any_of, plan.keys)))
    return TooCostly(
        f"The search would go through more than {reading.examine:,} resources of type {plan.type} by {codes}."
        f" Name a patient, or narrow it by a code, an identifier or a shorter period{advice}.")


def _may_be_long(plan: Plan, driver: Driver, sifts: Sequence[Filter], reading: Reading) -> bool:
    """Whether it may go through more than it finds. In a transaction no try is free: the database ends it."""
    sifted = bool(sifts) or (not driver.index and len(plan.keys) > 1)
    return sifted and not driver.few and reading.session is None


def _bounded(
    plan: Plan,
    driver: Driver,
    reading: Reading,
    projection: Mapping[str, Any],
    limit: int,
    sort: Index | None,
    behind: Sequence[Filter],
) -> tuple[list[Document], bool]:
    drives, sifts = criteria(plan, driver)
    stages: list[Document] = [
        {"$match": together([*drives, *behind])},
        *([{"$sort": sort}] if sort else []),
        {"$limit": reading.examine},
        {"$match": together(sifts)},
        {"$limit": limit},
        {"$project": projection},
    ]
    rows, cut = reading.gathered(plan.type, stages, driver.hint)
    if len(rows) < limit and not cut and examined(plan, driver, reading, behind) > reading.examine:
        raise too_costly(plan, reading)
    return rows, cut
