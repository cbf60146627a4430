"""date: an instant, a day or a period, as long as it is precise. https://hl7.org/fhir/R4/search.html#date"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from fhir_server.fhirpath.compile import Item
from fhir_server.outcome import BadRequest
from fhir_server.search.interval import Interval, compare, stored
from fhir_server.search.term import NOTHING, Alternative, Asked, Entry, Filter, Rules, Store
from fhir_server.search.value import prefixed

Span = tuple[datetime, datetime]

# The longest value that is stored under its start alone.
DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
FIRST = datetime.min.replace(tzinfo=UTC)
FINAL = datetime.max.replace(tzinfo=UTC)

_DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII)
_PUNCTUATION = str.maketrans("", "", "-:.")


def _instant(code: str, value: str, rules: Rules) -> Entry:
    return _kept_entry(code, value, rules.zone)


@lru_cache(maxsize=4096)
def _kept_entry(code: str, value: str, zone: tzinfo) -> Entry:
    return _entry(code, span(value, zone))


def _entry(code: str, covered: Span) -> Entry:
    start, end = covered
    return stored(code, _text(start), _text(end - min(end - start, MILLISECOND)), near=end - start <= DAY)


def _period(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    return _of_spans(code, _of_period(value, rules.zone))


def _timing(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    return _of_spans(code, _of_timing(value, rules.zone))


def _of_spans(code: str, found: Iterator[Span]) -> Entry:
    """There is one at most."""
    return next((_entry(code, one) for one in found), NOTHING)


INDEXED: Mapping[str, Store] = {
    **dict.fromkeys(("date", "dateTime", "instant"), _instant), "Period": _period, "Timing": _timing}


def spans(item: Item, zone: tzinfo) -> Iterator[Span]:
    """Yields what a value covers, in UTC, the end not included; an open end is the end of time."""
    if item.type in _SPANS:
        yield from _SPANS[item.type](item.value, zone)


# A resource tells the same time at several places, and is asked for its clinical date once more.
@lru_cache(maxsize=1024)
def span(text: str, zone: tzinfo) -> Span:
    """Returns what `2024`, `2024-05-01` or `2024-05-01T09:30+09:00` covers. Raises ValueError for what is no date."""
    match = _DATE.fullmatch(text)
    if not match:
        raise ValueError(text)
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    # A leap second counts as the second before it.
    start = datetime(
        int(year), int(month or 1), int(day or 1), int(hour or 0), int(minute or 0), min(int(second or 0), 59),
        int(f"{fraction or ''}000"[:3]) * 1000)
    zone = datetime.fromisoformat(f"2000-01-01T00:00{offset}").tzinfo or zone if offset else zone
    return _utc(start, zone), _utc(_end(start, match), zone)


def _end(start: datetime, match: re.Match[str]) -> datetime:
    _, month, day, hour, _, second, fraction, _ = match.groups()
    try:
        if fraction:
            return start + MILLISECOND
        if hour:
            return start + timedelta(seconds=1 if second else 60)
        if day:
            return start + DAY
        return _month_after(start) if month else start.replace(year=start.year + 1)
    except (OverflowError, ValueError):
        return datetime.max


def _month_after(start: datetime) -> datetime:
    return (start + timedelta(days=31)).replace(day=1)


def _utc(moment: datetime, zone: tzinfo) -> datetime:
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return FIRST if moment.year == 1 else FINAL


def _text(moment: datetime) -> str:
    """`20240501T003000000`: UTC, to the millisecond."""
    return moment.isoformat(timespec="milliseconds")[:23].translate(_PUNCTUATION)


def _of_text(value: str, zone: tzinfo) -> Iterator[Span]:
    yield span(value, zone)


def _of_period(value: Mapping[str, Any], zone: tzinfo) -> Iterator[Span]:
    start, end = value.get("start"), value.get("end")
    if start or end:
        yield (span(start, zone)[0] if start else FIRST), (span(end, zone)[1] if end else FINAL)


def _of_timing(value: Mapping[str, Any], zone: tzinfo) -> Iterator[Span]:
    """The outer limits of a schedule are all that matters of it."""
    events = [span(one, zone) for one in value.get("event", ()) if one]
    found = [*events, *_of_period(value.get("repeat", {}).get("boundsPeriod", {}), zone)]
    if found:
        yield min(start for start, _ in found), max(end for _, end in found)


_SPANS: Mapping[str, Callable[[Any, tzinfo], Iterator[Span]]] = {
    "date": _of_text,
    "dateTime": _of_text,
    "instant": _of_text,
    "Period": _of_period,
    "Timing": _of_timing,
}


def match(asked: Asked, value: str) -> Alternative:
    prefix, start, end = comparison(asked, value)
    reach = start - DAY if start > FIRST + DAY else FIRST
    return compare(asked.code, prefix, Interval(_text(start), _text(end), _text(reach)))


def comparison(asked: Asked, value: str) -> tuple[str, datetime, datetime]:
    """Returns the prefix and what the date covers; `ap` covers as much again on either side, a day at least."""
    prefix, text = prefixed(value)
    try:
        start, end = span(text, asked.zone or UTC)
    except ValueError:
        raise BadRequest(f"{asked.parameter.code}: {value!r} is no date such as 2024, 2024-05-01 or "
                         "ge2024-05-01T09:30:00+09:00.") from None
    if prefix == "ap":
        more = max(end - start, DAY)
        return prefix, max(start, FIRST + more) - more, min(end, FINAL - more) + more
    return prefix, start, end


def starts(asked: Asked, value: str) -> Filter | None:
    """Returns where the start of every match must lie, None where it may be anywhere."""
    prefix, start, end = comparison(asked, value)
    return _STARTS[prefix](start, end) if prefix in _STARTS else None


_STARTS: Mapping[str, Callable[[datetime, datetime], Filter]] = {
    "eq": lambda start, end: {"$gte": start, "$lt": end},
    "lt": lambda start, end: {"$lt": start},
    "eb": lambda start, end: {"$lt": start},
    "le": lambda start, end: {"$lt": end},
    "ap": lambda start, end: {"$lt": end},
    "sa": lambda start, end: {"$gte": end},
}

MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match}
