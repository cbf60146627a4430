"""TS, DTM and DT: points in time → date, dateTime, instant. HL7 v2.5 2.A.77; FHIR R4 datatypes, dateTime.

No precision is invented and none below the second is lost. A time without an offset is the sender's (Japan: +09:00);
SS-MIX2 writes hours of 24 and more for the next day, and zeros for the parts of a date that nobody knows.
"""

import re
from datetime import date as Date
from datetime import datetime, timedelta, timezone, tzinfo

from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource

_SHAPE = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d\d)(?:(?P<day>\d\d)"
    r"(?:(?P<hour>\d\d)(?P<minute>\d\d)?(?P<second>\d\d)?(?P<fraction>\.\d*)?)?)?)?(?P<offset>[+-]\d{4})?"
)


def date(repetition: Repetition, scope: Scope) -> str | None:
    """Returns the date part: `1962-03-08`, `1962-03` or `1962`."""
    found = stated(repetition[1], scope)
    return found[:10] if found else None


def date_time(repetition: Repetition, scope: Scope) -> str | None:
    """Returns a dateTime of the stated precision: `2024-06-03T10:15:00+09:00`, `2024-06-03`, `2024-06`."""
    return stated(repetition[1], scope)


def instant(repetition: Repetition, scope: Scope) -> str | None:
    """Returns an instant; None, with a note, for what has no time of day."""
    found = stated(repetition[1], scope)
    if found and "T" not in found:
        scope.note("A time of day is needed here.")
        return None
    return found


def time(repetition: Repetition, scope: Scope) -> str | None:
    """Returns a time of day (TM): `10:15:00`."""
    found = re.fullmatch(r"([01]\d|2[0-3])([0-5]\d)([0-5]\d)?(?:\.\d+)?(?:[+-]\d{4})?", repetition[1])
    if not found:
        scope.note("This is no time of day.")
        return None
    return f"{found[1]}:{found[2]}:{found[3] or '00'}"


def stated(text: str, scope: Scope) -> str | None:
    """Returns `text` as a dateTime; None for nothing, None with a note for what is no time."""
    text = text.strip()
    if not text or not text.strip("0"):
        return None
    found = _SHAPE.fullmatch(text)
    try:
        if found:
            return _fhir(found, scope.zone)
    except (ValueError, OverflowError):
        pass
    scope.note("This is no date or time.")
    return None


def moment(text: str, zone: tzinfo) -> datetime | None:
    """Returns the point in time of `text`, the start of its day or month where it says no more; None if none."""
    found = _SHAPE.fullmatch(text.strip())
    if not found:
        return None
    try:
        start = datetime(int(found["year"]), int(found["month"] or 0) or 1, int(found["day"] or 0) or 1)
        return _moved(start, found).replace(tzinfo=_zone(found["offset"], zone))
    except (ValueError, OverflowError):
        return None


def zone(text: str) -> tzinfo | None:
    """Returns the offset that `text` ends with, None where it has none."""
    found = _SHAPE.fullmatch(text.strip())
    return _zone(found["offset"], timezone.utc) if found and found["offset"] else None


def period(start: str, end: str, scope: Scope) -> Resource | None:
    """Returns a Period of two texts, None if both are empty."""
    sides = {"start": stated(start, scope), "end": stated(end, scope)}
    return {name: value for name, value in sides.items() if value} or None


def _fhir(found: re.Match[str], zone: tzinfo) -> str:
    """Raises ValueError for a day that no calendar has."""
    year, month, day = found["year"], found["month"] or "00", found["day"] or "00"
    if month == "00":
        return Date(int(year), 1, 1).isoformat()[:4]
    if day == "00":
        return Date(int(year), int(month), 1).isoformat()[:7]
    start = datetime(int(year), int(month), int(day))
    if found["hour"] is None:
        return start.date().isoformat()
    at = _moved(start, found).replace(tzinfo=_zone(found["offset"], zone))
    return at.replace(tzinfo=None).isoformat(timespec="seconds") + _fraction(found) + _offset(at)


def _moved(start: datetime, found: re.Match[str]) -> datetime:
    """Hours from 24 on belong to the days after."""
    hour, minute, second = (int(found[part] or 0) for part in ("hour", "minute", "second"))
    if hour > 47 or minute > 59 or second > 59:
        raise ValueError(f"{hour}:{minute}:{second}")
    microsecond = int(_fraction(found)[1:7].ljust(6, "0"))
    return start + timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microsecond)


def _fraction(found: re.Match[str]) -> str:
    fraction = found["fraction"] or ""
    return fraction if found["second"] and len(fraction) > 1 else ""


def _zone(offset: str | None, otherwise: tzinfo) -> tzinfo:
    if not offset:
        return otherwise
    minutes = int(offset[1:3]) * 60 + int(offset[3:])
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))


def _offset(at: datetime) -> str:
    return at.isoformat()[-6:]
