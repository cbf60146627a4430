from typing import Any

import pytest

from adapters.hl7v2.segments import pv1
from tests.adapters.hl7v2.reading import message, noted, scope

PATIENT = {"resourceType": "Patient", "id": "p1"}


def visit(fields: dict[int, str]) -> str:
    return "PV1" + "".join("|" + fields.get(number, "") for number in range(1, 53))


def identity(fields: dict[int, str], begin: str = "") -> str:
    found = pv1.encounter(message(visit(fields)), PATIENT, begin, scope())
    assert found is not None
    return str(found["id"])


@pytest.mark.parametrize("one, other", [
    ({19: "V1", 2: "I"}, {19: "V1", 2: "O", 44: "20240403"}),
    ({2: "I", 44: "20240403100000"}, {2: "I", 44: "202404031000", 3: "W3"}),
])
def test_one_stay_has_one_id(one: dict[int, str], other: dict[int, str]) -> None:
    assert identity(one) == identity(other)


@pytest.mark.parametrize("one, other", [
    ({19: "V1"}, {19: "V2"}),
    ({2: "I", 44: "20240403"}, {2: "O", 44: "20240403"}),
    ({2: "I", 44: "20240403"}, {2: "I", 44: "20240404"}),
])
def test_another_stay_has_another_id(one: dict[int, str], other: dict[int, str]) -> None:
    assert identity(one) != identity(other)


def test_the_time_of_the_event_stands_for_an_admission_time_that_is_missing() -> None:
    assert identity({2: "I"}, "2024-04-03T10:00:00+09:00") == identity({2: "I", 44: "202404031000"})


def test_a_snapshot_that_names_no_stay_is_none() -> None:
    within = scope()
    assert pv1.encounter(message(visit({2: "I", 3: "E5"})), PATIENT, "", within) is None
    assert noted(within) == [("PV1-19", "Without visit number and admission time this names no encounter.")]


def place(name: str, status: str) -> dict[str, Any]:
    return {"location": {"display": name}, "status": status}


def person(type: str, name: str) -> dict[str, Any]:
    return {"type": [{"coding": [{"code": type}]}], "individual": {"display": name}}


def stay(status: str, **found: Any) -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": "e1", "status": status, **found}


ADMITTED = stay(
    "in-progress",
    period={"start": "2024-04-03"},
    location=[place("E5", "active")],
    participant=[person("ATND", "北原"), person("ADM", "北原")],
)
MOVED = stay("in-progress", location=[place("W3", "active")], participant=[person("ATND", "南野")])
DISCHARGED = stay(
    "finished",
    period={"start": "2024-04-03", "end": "2024-04-13"},
    hospitalization={"dischargeDisposition": {"text": "退院"}},
    location=[place("W3", "completed")],
)


@pytest.mark.parametrize("earlier, later, found", [
    (ADMITTED, MOVED, stay(
        "in-progress",
        period={"start": "2024-04-03"},
        location=[place("E5", "completed"), place("W3", "active")],
        participant=[person("ADM", "北原"), person("ATND", "南野")],
    )),
    (ADMITTED, DISCHARGED, stay(
        "finished",
        period={"start": "2024-04-03", "end": "2024-04-13"},
        hospitalization={"dischargeDisposition": {"text": "退院"}},
        location=[place("E5", "completed"), place("W3", "completed")],
        participant=[person("ATND", "北原"), person("ADM", "北原")],
    )),
    (DISCHARGED, MOVED, stay(
        "finished",
        period={"start": "2024-04-03", "end": "2024-04-13"},
        hospitalization={"dischargeDisposition": {"text": "退院"}},
        location=[place("W3", "completed")],
        participant=[person("ATND", "南野")],
    )),
    (stay("unknown"), ADMITTED, ADMITTED),
])
def test_two_events_make_one_stay_and_none_reopens_it(
    earlier: dict[str, Any], later: dict[str, Any], found: dict[str, Any]
) -> None:
    merged = pv1.merge_encounter(earlier, later)
    assert merged == found
    assert pv1.merge_encounter(merged, later) == found
