from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.facility import JST
from adapters.hl7v2.datatypes import ts
from tests.adapters.hl7v2.reading import noted, repetition, scope

NO_TIME = [("", "This is no date or time.")]


@pytest.mark.parametrize("sent, stated, notes", [
    ("20240603101500", "2024-06-03T10:15:00+09:00", []),
    ("202406031015", "2024-06-03T10:15:00+09:00", []),
    ("2024060310", "2024-06-03T10:00:00+09:00", []),
    ("20240603", "2024-06-03", []),
    ("202406", "2024-06", []),
    ("2024", "2024", []),
    ("20240603101500.79", "2024-06-03T10:15:00.79+09:00", []),
    ("20240603101500-0500", "2024-06-03T10:15:00-05:00", []),
    ("202406031015+0000", "2024-06-03T10:15:00+00:00", []),
    ("20190200", "2019-02", []),
    ("20190000", "2019", []),
    ("2024040326", "2024-04-04T02:00:00+09:00", []),
    ("20231231240000", "2024-01-01T00:00:00+09:00", []),
    ("", None, []),
    ("00000000", None, []),
    ("20240231", None, NO_TIME),
    ("20241301", None, NO_TIME),
    ("202406031061", None, NO_TIME),
    ("2024060348", None, NO_TIME),
    ("yesterday", None, NO_TIME),
])
def test_a_time_keeps_its_precision_and_is_japanese_unless_it_says_otherwise(
    sent: str, stated: str | None, notes: list[tuple[str, str]]
) -> None:
    within = scope()
    assert ts.date_time(repetition(sent), within) == stated
    assert noted(within) == notes


def test_a_date_is_the_date_part() -> None:
    assert ts.date(repetition("195501170830"), scope()) == "1955-01-17"


def test_an_instant_needs_a_time_of_day() -> None:
    within = scope()
    assert ts.instant(repetition("20240603"), within) is None
    assert noted(within) == [("", "A time of day is needed here.")]


@pytest.mark.parametrize("sent, found", [("1015", "10:15:00"), ("101530.5", "10:15:30"), ("2460", None), ("x", None)])
def test_a_time_of_day(sent: str, found: str | None) -> None:
    assert ts.time(repetition(sent), scope()) == found


@pytest.mark.parametrize("sent, found", [
    ("20240603101500.5+0900", datetime(2024, 6, 3, 10, 15, 0, 500000, JST)),
    ("2024", datetime(2024, 1, 1, tzinfo=JST)),
    ("soon", None),
])
def test_the_moment_of_a_message(sent: str, found: datetime | None) -> None:
    assert ts.moment(sent, JST) == found


@pytest.mark.parametrize("sent, offset", [
    ("20240603101500-0330", timezone(-timedelta(hours=3, minutes=30))), ("20240603101500", None), ("", None)])
def test_the_offset_of_a_message(sent: str, offset: timezone | None) -> None:
    assert ts.zone(sent) == offset


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)))
def test_every_second_comes_through(at: datetime) -> None:
    exact = at.replace(microsecond=0)
    assert ts.stated(exact.strftime("%Y%m%d%H%M%S"), scope()) == exact.replace(tzinfo=JST).isoformat()


@given(st.text(alphabet="0123456789.+-０x ", max_size=24))
def test_nothing_that_is_sent_as_a_time_breaks_the_reader(sent: str) -> None:
    found = ts.stated(sent, scope())
    assert found is None or found[:4].isdigit()
