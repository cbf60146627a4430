"""Values that have a start and an end, as order-preserving text: dates, periods, numbers, quantities, ranges.

Stored: the start as a key, the end too where they lie far apart, and both to recheck. Asked: from `start` up to, not
including, `end`. https://hl7.org/fhir/R4/search.html#prefix
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fhir_server.search.term import LAST, Alternative, Entry, Filter, Sift, Stretch


@dataclass(frozen=True)
class Interval:
    """What is asked for. `reach`: no value stored under its start alone starts before it and still overlaps."""

    start: str
    end: str
    reach: str


def stored(code: str, low: str, high: str, *, near: bool, **unit: str) -> Entry:
    """Returns what the index keeps of a value from `low` to `high`, both included; `near`: one key for both."""
    keys = (f"{code}={low}",) if near else (f"{code}={low}", f"{code}={high}")
    return Entry(keys, ({"p": code, "lo": low, "hi": high, **unit},))


def compare(code: str, prefix: str, asked: Interval, unit: Filter | None = None) -> Stretch:
    """Returns the stretch of keys that may fit, and the recheck that decides."""
    low, high, fits = _PREFIXES[prefix](asked)
    recheck = {"$and": [{"p": code}, fits, *([unit] if unit else [])]}
    return Stretch(f"{code}={low}", f"{code}={high}", recheck)


def compare_points(code: str, prefix: str, asked: Interval) -> Alternative:
    """Returns what is asked of values without extent, each stored under one key: that decides alone."""
    if prefix == "ne":
        outside = (Stretch(f"{code}=", f"{code}={asked.start}"), Stretch(f"{code}={asked.end}", f"{code}={LAST}"))
        return Sift({"$or": [one.filter for one in outside]})
    low, high = _POINTS[prefix](asked)
    return Stretch(f"{code}={low}", f"{code}={high}")


_POINTS: Mapping[str, Callable[[Interval], tuple[str, str]]] = {
    "eq": lambda asked: (asked.start, asked.end),
    "ap": lambda asked: (asked.start, asked.end),
    "gt": lambda asked: (asked.end, LAST),
    "sa": lambda asked: (asked.end, LAST),
    "ge": lambda asked: (asked.start, LAST),
    "lt": lambda asked: ("", asked.start),
    "eb": lambda asked: ("", asked.start),
    "le": lambda asked: ("", asked.end),
}

Bounds = tuple[str, str, Filter]


def _contained(asked: Interval) -> Filter:
    return {"lo": {"$gte": asked.start}, "hi": {"$lt": asked.end}}


def _equal(asked: Interval) -> Bounds:
    return asked.start, asked.end, _contained(asked)


def _not_equal(asked: Interval) -> Bounds:
    return "", LAST, {"$or": [{"lo": {"$lt": asked.start}}, {"hi": {"$gte": asked.end}}]}


def _greater(asked: Interval) -> Bounds:
    return asked.reach, LAST, {"hi": {"$gte": asked.end}}


def _less(asked: Interval) -> Bounds:
    return "", asked.start, {"lo": {"$lt": asked.start}}


def _greater_or_equal(asked: Interval) -> Bounds:
    return asked.reach, LAST, {"$or": [{"hi": {"$gte": asked.end}}, _contained(asked)]}


def _less_or_equal(asked: Interval) -> Bounds:
    return "", asked.end, {"$or": [{"lo": {"$lt": asked.start}}, _contained(asked)]}


def _starts_after(asked: Interval) -> Bounds:
    return asked.end, LAST, {"lo": {"$gte": asked.end}}


def _ends_before(asked: Interval) -> Bounds:
    return "", asked.start, {"hi": {"$lt": asked.start}}


def _overlaps(asked: Interval) -> Bounds:
    return asked.reach, LAST, {"lo": {"$lt": asked.end}, "hi": {"$gte": asked.start}}


_PREFIXES: Mapping[str, Callable[[Interval], Bounds]] = {
    "eq": _equal,
    "ne": _not_equal,
    "gt": _greater,
    "lt": _less,
    "ge": _greater_or_equal,
    "le": _less_or_equal,
    "sa": _starts_after,
    "eb": _ends_before,
    "ap": _overlaps,
}
