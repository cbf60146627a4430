"""https://hl7.org/fhir/R4/search.html#date · the time zone is +09:00 where none is given"""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.parameters import date
from fhir_server.search.term import Rules
from tests.fhir_server.search.conftest import Search


def observation(id: str, **effective: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, **effective}


# Newest first, so that all answers come in this order.
OBSERVATIONS = [
    observation("open", effectivePeriod={"start": "2024-06-01"}),
    observation("july", effectivePeriod={"start": "2024-05-20", "end": "2024-07-10"}),
    observation("evening", effectiveDateTime="2024-05-01T23:30:00+09:00"),
    observation("utc", effectiveDateTime="2024-05-01T00:30:00.250Z"),
    observation("day", effectiveDateTime="2024-05-01"),
    observation("may", effectiveDateTime="2024-05"),
    observation("year", effectiveDateTime="2024"),
    observation("before", effectivePeriod={"end": "2023-12-31"}),
]
ALL = ["open", "july", "evening", "utc", "day", "may", "year", "before"]


@pytest.mark.parametrize("query, found", [
    ("date=2024-05-01", ["evening", "utc", "day"]),
    ("date=2024-05", ["evening", "utc", "day", "may"]),
    ("date=2024", ["july", "evening", "utc", "day", "may", "year"]),
    ("date=2024-05-01T14:30:00Z", ["evening"]),
    ("date=2024-05-01T23:30", ["evening"]),
    ("date=2024-05-01T09:30:00%2B09:00", ["utc"]),
    ("date=2024-05-02", []),
    ("date=ne2024-05", ["open", "july", "year", "before"]),
    ("date=gt2024-05", ["open", "july", "year"]),
    ("date=ge2024-05", ["open", "july", "evening", "utc", "day", "may", "year"]),
    ("date=lt2024-05", ["year", "before"]),
    ("date=le2024-05", ["evening", "utc", "day", "may", "year", "before"]),
    ("date=sa2024-05-01", ["open", "july"]),
    ("date=eb2024-05-20", ["evening", "utc", "day", "before"]),
    ("date=ap2024-05-01", ["evening", "utc", "day", "may", "year"]),
    ("date=ge2024-05-01&date=lt2024-05-02", ["evening", "utc", "day", "may", "year"]),
    ("date=2024-05-01,sa2024-05-25", ["open", "evening", "utc", "day"]),
    ("date=gt2999", ["open"]),
    ("date=lt1900", ["before"]),
    ("date=ge9999-12-31", ["open"]),
    ("date=ge0001-01-01", ALL),
    ("date:missing=false", ALL),
    ("date:missing=true", []),
])
def test_dates_are_compared_as_the_intervals_they_cover(search: Search, query: str, found: list[str]) -> None:
    assert search(OBSERVATIONS, f"Observation?{query}") == [one for one in ALL if one in found]


def test_newest_first_is_by_the_start_of_what_the_date_covers(search: Search) -> None:
    assert search(OBSERVATIONS, "Observation?_sort=-date") == [
        "open", "july", "evening", "utc", "day", "may", "year", "before"]


@pytest.mark.parametrize("text, start, end", [
    ("2024", "2023-12-31T15:00:00+00:00", "2024-12-31T15:00:00+00:00"),
    ("2024-02", "2024-01-31T15:00:00+00:00", "2024-02-29T15:00:00+00:00"),
    ("2024-12-31", "2024-12-30T15:00:00+00:00", "2024-12-31T15:00:00+00:00"),
    ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59+00:00", "2017-01-01T00:00:00+00:00"),
    ("9999-12-31", "9999-12-30T15:00:00+00:00", "9999-12-31T14:59:59.999999+00:00"),
    ("9999", "9998-12-31T15:00:00+00:00", "9999-12-31T14:59:59.999999+00:00"),
    ("0001", "0001-01-01T00:00:00+00:00", "0001-12-31T15:00:00+00:00"),
])
def test_a_date_covers_as_much_as_it_leaves_open(text: str, start: str, end: str) -> None:
    japan = timezone(timedelta(hours=9))
    assert date.span(text, japan) == (datetime.fromisoformat(start), datetime.fromisoformat(end))


@pytest.mark.parametrize("text", [
    "", "24", "2024-13", "2024-02-30", "2024-1-1", "2024-01-01T25:00:00Z", "２０２４", "2024\n"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        date.span(text, UTC)


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_the_text_of_dates_sorts_as_the_dates_do(one: datetime, other: datetime) -> None:
    def text(moment: datetime) -> str:
        return moment.isoformat(timespec="milliseconds")

    keys = {moment: key(text(moment)) for moment in (one, other)}
    assert (keys[one] < keys[other]) == (text(one) < text(other))


def key(text: str) -> str:
    return date.INDEXED["dateTime"]("date", text, Rules(UTC)).keys[0]


# From 2024-05-10 up to, not including, 2024-05-20, told in several shapes.
SHAPES: list[dict[str, Any]] = [
    {"effectivePeriod": {"start": "2024-05-10", "end": "2024-05-19"}},
    {"effectiveTiming": {"repeat": {"boundsPeriod": {"start": "2024-05-10", "end": "2024-05-19"}}}},
    {"effectiveTiming": {"event": ["2024-05-10", "2024-05-15T09:00:00+09:00", "2024-05-19"]}},
]


@pytest.mark.parametrize("shape", SHAPES, ids=["Period", "Timing with bounds", "Timing with events"])
@pytest.mark.parametrize("dates, fits", [
    ("2024-05 2024 ap2024-05-15 ap2024-05-20 ap2024-05-09", True),
    ("2024-05-15 2024-05-10 2023 ap2024-05-22 ap2024-05-07", False),
    ("ne2024-05-15 ne2024-05-10 ne2024-06 ne2023", True),
    ("ne2024-05 ne2024", False),
    ("gt2024-05-09 gt2024-05-15 gt2024-05-18 gt2023", True),
    ("gt2024-05-19 gt2024-05 gt2024", False),
    ("lt2024-05-11 lt2024-05-15 lt2024-06", True),
    ("lt2024-05-10 lt2024-05 lt2024", False),
    ("ge2024-05-10 ge2024-05-18 ge2024-05 ge2024", True),
    ("ge2024-05-20 ge2024-05-19T23:59:59.999 ge2024-06", False),
    ("le2024-05-11 le2024-05-20 le2024-05 le2024", True),
    ("le2024-05-09 le2024-05-10T00:00:00 le2023", False),
    ("sa2024-05-09 sa2024-04 sa2023", True),
    ("sa2024-05-10 sa2024-05 sa2024", False),
    ("eb2024-05-20 eb2024-06 eb2025", True),
    ("eb2024-05-19 eb2024-05 eb2024", False),
])
def test_a_stretch_of_time_is_compared_by_both_its_ends(
    search: Search, shape: dict[str, Any], dates: str, fits: bool
) -> None:
    """https://hl7.org/fhir/R4/search.html#prefix"""
    search([observation("it", **shape)], "Observation?date=2024")
    assert {one: search([], f"Observation?date={one}") for one in dates.split()} == {
        one: ["it"] if fits else [] for one in dates.split()}
