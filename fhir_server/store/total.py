"""How many resources a plan matches: exactly, or about."""

from dataclasses import replace
from itertools import repeat

from fhir_server.store.drive import Driver, by_keys, criteria, few, together, walk, within
from fhir_server.store.fetch import examined, narrowest, too_costly
from fhir_server.store.join import among, listed, settled, sift
from fhir_server.store.plan import Order, Plan
from fhir_server.store.reading import Reading
from fhir_server.store.walk import walked

# An estimate is made from so many resources, taken by chance.
SAMPLE = 1000
# What leads to so little is taken, before what leads to as much as may be gone through.
SOME = 20_000

_ADVICE = ", or ask for _total=estimate"

_SHOWN = {"ix": 1, "d": 1}


def count(plan: Plan, reading: Reading) -> int:
    """Returns how many resources match, wherever the page starts. Raises TooCostly."""
    return _counted(settled(plan, reading), reading)


def estimate(plan: Plan, reading: Reading) -> int:
    """Returns about how many resources match: exactly what is few or told by keys, else by a sample.

    Raises TooCostly.
    """
    plan = settled(plan, reading)
    if _is_covered(plan) and (number := examined(plan, _all(plan), reading)) <= reading.examine:
        return number
    if (driver := few(plan, reading)) is not None:
        return _with_joins(plan, driver, reading) if plan.joins else _by(plan, driver, reading)
    every = reading.number(plan.type)
    if every <= reading.few:
        return _counted(plan, reading)
    # A look at other resources costs more than a look at one.
    size = reading.joined if plan.joins else SAMPLE
    rows, _ = reading.gathered(plan.type, [{"$sample": {"size": size}}, *_sampled(plan)])
    found = len(sift(rows, plan, reading))
    return max(found, every * found // size)


def _sampled(plan: Plan) -> list[dict[str, object]]:
    drives, sifts = criteria(plan, walk(plan, "_id"))
    return [{"$match": together([*drives, *sifts])}, {"$project": _SHOWN}]


def _counted(plan: Plan, reading: Reading) -> int:
    if _is_covered(plan):
        return _by(plan, _all(plan), reading)
    driver = few(plan, reading)
    if plan.joins:
        return _with_joins(plan, driver or _all(plan), reading)
    return _by(plan, driver, reading) if driver else _many(plan, reading)


def _is_covered(plan: Plan) -> bool:
    """Whether the keys that are counted say all, so that no resource is looked at."""
    return len(plan.keys) < 2 and not plan.rest and not plan.joins


def _all(plan: Plan) -> Driver:
    """Keys where there are any: they are counted in the index, without a look at what they lead to."""
    return by_keys(plan) if plan.keys else walk(plan, "d")


def _by(plan: Plan, driver: Driver, reading: Reading) -> int:
    drives, sifts = criteria(plan, driver)
    return reading.count(plan.type, together([*drives, *sifts]), driver.hint)


def _many(plan: Plan, reading: Reading) -> int:
    """Counts what is not few, if it may be gone through."""
    for limit in (min(SOME, reading.examine), reading.examine):
        if driver := within(plan, limit, reading):
            return _by(plan, driver, reading)
    driver = _all(plan)
    if examined(plan, narrowest(plan, driver, reading), reading) > reading.examine:
        raise too_costly(plan, reading, _ADVICE)
    return _by(plan, driver, reading)


def _with_joins(plan: Plan, driver: Driver, reading: Reading) -> int:
    """Goes through what others refer to, if that can be listed; else through all rows, as many as may be."""
    ids, left = listed(plan, reading)
    if ids is not None:
        return len(among(sorted(ids), left, reading))
    if examined(plan, narrowest(plan, driver, reading), reading) > reading.examine:
        raise too_costly(plan, reading, _ADVICE)
    number = 0
    for rows in walked(replace(plan, order=Order(), after=None), driver, reading, _SHOWN, repeat(reading.joined)):
        number += len(sift(rows, plan, reading))
    return number
