import pytest

from adapters.hl7v2.datatypes import ts
from adapters.hl7v2.fields import Field, Scope, Table, coded, elements, first, leftover, numbers, text
from adapters.hl7v2.parse import Repetition
from tests.adapters.hl7v2.reading import noted, scope, segment

TABLE = (
    Field("PID-3", "identifier[]", lambda repetition, within: {"value": repetition[1]}),
    Field("PID-8", "gender", coded("administrative-sex")),
    Field("PID-23", "hospitalization.note[]", text),
    Field("PID-29", "period.end", ts.date_time),
)


@pytest.mark.parametrize("raw, found, notes", [
    ("PID|||1~2", {"identifier": [{"value": "1"}, {"value": "2"}]}, []),
    ("PID|||1~1", {"identifier": [{"value": "1"}]}, []),
    ("PID||||||||F", {"gender": "female"}, []),
    ('PID||||||||""', {}, []),
    ("PID||||||||", {}, []),
    ("PID||||||||X", {}, [("PID-8", "The code is not in the map administrative-sex.")]),
    ("PID||||||||F~M", {"gender": "female"}, [
        ("PID-8", "Another value than the one taken, of an element that has one.")]),
    ("PID|||||||||||||||||||||||a\\T\\b~ ", {"hospitalization": {"note": ["a&b"]}}, []),
    ("PID|||||||||||||||||||||||||||||20240401", {"period": {"end": "2024-04-01"}}, []),
    ("PID|||||||||||||||||||||||||||||x", {}, [("PID-29", "This is no date or time.")]),
])
def test_a_table_makes_elements_of_fields(raw: str, found: object, notes: object) -> None:
    within = scope()
    assert elements(segment(raw), TABLE, within) == found
    assert noted(within) == notes


def test_a_row_may_choose_its_repetitions() -> None:
    table = (Field("PID-3", "name[]", text, first),)
    assert elements(segment("PID|||1~2"), table, scope()) == {"name": ["1"]}


def test_what_gave_a_note_is_noted_each_time_and_what_gave_none_is_read_once() -> None:
    within = scope()
    read: list[str] = []

    def counted(repetition: Repetition, here: Scope) -> str:
        read.append(repetition.text)
        return repetition.text

    table: Table = (Field("PID-3", "a[]", counted), Field("PID-8", "gender", coded("administrative-sex")))
    for _ in range(3):
        elements(segment("PID|||1|||||X"), table, within)
    assert (read, len(within.notes)) == (["1"], 3)


@pytest.mark.parametrize("raw, places", [
    ("PID|1||1|||||F", ["PID-1"]),
    ("PID|||1|||||F||^^~", []),
    ('PID|||1|||||F|""', []),
    ("PID|||1|||||F|x|y", ["PID-9", "PID-10"]),
])
def test_a_valued_field_that_no_row_knows_is_noted(raw: str, places: list[str]) -> None:
    within = scope()
    leftover(segment(raw), numbers(TABLE, 7), within)
    assert noted(within) == [(place, "This field is not mapped.") for place in places]


def test_what_one_facility_knows_has_a_uri_of_its_own() -> None:
    assert scope().local("99XYZ") == "urn:kakehashi:1119999991:99XYZ"
    assert scope().local("検査 表") == "urn:kakehashi:1119999991:%E6%A4%9C%E6%9F%BB%20%E8%A1%A8"
