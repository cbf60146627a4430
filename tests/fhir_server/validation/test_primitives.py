"""Each primitive type takes what the specification takes, in the engine that decides and in the one that explains."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.validation.keywords import decider, explainer
from fhir_server.validation.primitives import PRIMITIVES

DECIDERS = {name: decider(schema, lambda _: False) for name, schema in PRIMITIVES.items()}
EXPLAINERS = {name: explainer({})(schema) for name, schema in PRIMITIVES.items()}

TAKEN: list[tuple[str, list[Any]]] = [
    ("base64Binary", ["QQ==", "QUI=", "QUJD", "QUJD QUJD\r\n QUJD"]),
    ("boolean", [True, False]),
    ("canonical", ["http://x.org/p|1.0", "#a"]),
    ("code", ["a", "a b", "最終"]),
    ("date", ["2024", "2024-02", "2024-02-29", "2000-02-29", "0001-01-01", "1900-02-28", "2024-12-31"]),
    ("dateTime", ["2024", "2024-02", "2024-02-29", "2024-02-29T00:00:00Z", "2016-12-31T23:59:60Z",
                  "2024-01-01T12:00:00.123456789+09:00", "2024-01-01T12:00:00-14:00"]),
    ("decimal", [0, -1, 1, Decimal("1.00"), Decimal("-0.5E-10"), Decimal("1E+20")]),
    ("id", ["a", "A-1.b", "x" * 64]),
    ("instant", ["2024-02-29T00:00:00Z", "2015-02-07T13:28:17.239+02:00"]),
    ("integer", [0, -2147483648, 2147483647]),
    ("markdown", ["# 見出し\n\ntext", "\t"]),
    ("oid", ["urn:oid:1.2.392.200119.6.1005", "urn:oid:2.0"]),
    ("positiveInt", [1, 2147483647]),
    ("string", ["a", " ", "山田　太郎", "a\tb\r\nc", "\u00a0", "x" * (1024 * 1024)]),
    ("time", ["00:00:00", "23:59:60", "12:00:00.5"]),
    ("unsignedInt", [0, 2147483647]),
    ("uri", ["http://loinc.org", "urn:oid:1.2.3", "a", "日本"]),
    ("url", ["https://x.org/?a=b"]),
    ("uuid", ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"]),
    ("xhtml", ['<div xmlns="http://www.w3.org/1999/xhtml"/>']),
]
REFUSED: list[tuple[str, list[Any]]] = [
    ("base64Binary", ["", " ", "QQ", "QQ=", "Q===", "QQ==QQ==", "QUJD!", "QUJDé", "=QQQ", 1]),
    ("boolean", ["true", 1, 0, None]),
    ("canonical", ["", "a b", "a\n"]),
    ("code", ["", " a", "a ", "a  b", "a\tb", "a\n", 1]),
    ("date", ["", "24", "0000", "2024-13", "2024-00", "2024-2", "2024-02-30", "2023-02-29", "1900-02-29", "2024-04-31",
              "2024-01-01T00:00:00Z", "2024\n", " 2024", "２０２４", 2024]),
    ("dateTime", ["2024-02-30T00:00:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00Z", "2024-01-01T24:00:00Z",
                  "2024-01-01T00:00:61Z", "2024-01-01T00:00:00+15:00", "2024-01-01T00:00:00.Z",
                  "2024-01-01 00:00:00Z"]),
    ("decimal", ["1.0", True, None]),
    ("id", ["", "x" * 65, "a b", "a_b", "a/b", "a\n", "é"]),
    ("instant", ["2024-01-01T00:00:00", "2024-01-01", "2024-01-01T00:00:00z", "2024-02-30T00:00:00Z"]),
    ("integer", [2147483648, -2147483649, Decimal("1.0"), Decimal("1E+1"), 1.0, "1", True]),
    ("markdown", ["", "a\x00"]),
    ("oid", ["1.2.3", "urn:oid:3.1", "urn:oid:1", "urn:oid:1.02", "urn:oid:1.2."]),
    ("positiveInt", [0, -1, 2147483648, Decimal("1.0")]),
    ("string", ["", "a\x00", "\x1f", "\x0b", "x" * (1024 * 1024 + 1), 1, None]),
    ("time", ["24:00:00", "12:00", "12:00:00Z", "12:60:00", "12:00:61"]),
    ("unsignedInt", [-1, Decimal("0.0")]),
    ("uri", ["", "a b", " a", "a\n", "\ta"]),
    ("url", ["", "a b"]),
    ("uuid", ["c757873d-ec9a-4326-a141-556f43239520", "urn:uuid:C757873D-EC9A-4326-A141-556F43239520"]),
    ("xhtml", ["", 1]),
]


def rows(table: list[tuple[str, list[Any]]]) -> list[Any]:
    return [pytest.param(type_, one, id=f"{type_}-{one!r:.30}") for type_, values in table for one in values]


def verdicts(type_: str, value: Any) -> tuple[bool, bool]:
    return DECIDERS[type_].is_valid(value), EXPLAINERS[type_].is_valid(value)


@pytest.mark.parametrize("type_, value", rows(TAKEN))
def test_it_takes(type_: str, value: Any) -> None:
    assert verdicts(type_, value) == (True, True)


@pytest.mark.parametrize("type_, value", rows(REFUSED))
def test_it_refuses(type_: str, value: Any) -> None:
    assert verdicts(type_, value) == (False, False)


def test_every_primitive_type_has_its_rows() -> None:
    assert {type_ for type_, _ in TAKEN} == {type_ for type_, _ in REFUSED} == set(PRIMITIVES)


NEARLY = st.text(alphabet="0123456789-:.TZ+ \nab=/urn oidé　\x00\x1f٣", max_size=30)


@given(st.sampled_from(sorted(PRIMITIVES)), NEARLY | st.text(max_size=20))
def test_both_engines_read_every_text_alike(type_: str, text: str) -> None:
    decided, explained = verdicts(type_, text)
    assert decided == explained


@given(st.dates())
def test_every_day_of_the_calendar_is_a_date(day: Any) -> None:
    assert verdicts("date", day.isoformat()) == (True, True)
    assert verdicts("instant", f"{day.isoformat()}T00:00:00Z") == (True, True)


NO_DAYS = [(2, 30), (2, 31), (4, 31), (6, 31), (9, 31), (11, 31), (1, 32), (13, 1), (0, 1), (1, 0)]


@given(st.integers(1, 9999), st.sampled_from(NO_DAYS))
def test_no_other_day_is_a_date(year: int, day: tuple[int, int]) -> None:
    assert verdicts("date", f"{year:04}-{day[0]:02}-{day[1]:02}") == (False, False)
