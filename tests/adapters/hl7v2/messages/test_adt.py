from typing import Any

import pytest

from adapters.hl7v2.messages import adt
from adapters.hl7v2.segments.pv1 import merge_encounter
from adapters.record import Unmappable
from tests.adapters.hl7v2.reading import FACILITY, message

PID = "PID|||0000100001^^^^PI"


def visit(fields: dict[int, str]) -> str:
    return "PV1" + "".join("|" + fields.get(number, "") for number in range(1, 46))


def encounter(event: str, fields: dict[int, str], happened: str = "20240403100000") -> dict[str, Any]:
    [record] = adt.to_records(message(f"EVN||||||{happened}", PID, visit(fields), kind=f"ADT^{event}"), FACILITY)
    [found] = [one.resource for one in record.entries if one.resource["resourceType"] == "Encounter"]
    return found


@pytest.mark.parametrize("event, fields, status", [
    ("A01", {2: "I", 19: "V1"}, "in-progress"),
    ("A04", {2: "O", 19: "V1"}, "arrived"),
    ("A03", {2: "I", 19: "V1"}, "finished"),
    ("A08", {2: "I", 19: "V1"}, "in-progress"),
    ("A08", {2: "P", 19: "V1"}, "planned"),
    ("A08", {2: "U", 19: "V1"}, "unknown"),
    ("A08", {2: "I", 19: "V1", 45: "20240413"}, "finished"),
    ("A08", {19: "V1"}, "unknown"),
])
def test_the_event_says_how_the_stay_stands(event: str, fields: dict[int, str], status: str) -> None:
    assert encounter(event, fields)["status"] == status


def test_a_stay_from_admission_to_discharge_is_one_encounter() -> None:
    admitted = encounter("A01", {2: "I", 3: "E5", 44: "20240403100000"})
    moved = encounter("A08", {2: "I", 3: "W3", 44: "202404031000"})
    left = encounter("A03", {2: "I", 3: "W3", 44: "20240403100000", 45: "20240413100000"})
    assert len({one["id"] for one in (admitted, moved, left)}) == 1
    stay = merge_encounter(merge_encounter(admitted, moved), left)
    assert (stay["status"], stay["period"]) == (
        "finished", {"start": "2024-04-03T10:00:00+09:00", "end": "2024-04-13T10:00:00+09:00"})
    assert [(one["location"]["display"], one["status"]) for one in stay["location"]] == [
        ("E5", "completed"), ("W3", "completed")]
    assert merge_encounter(merge_encounter(admitted, left), moved)["status"] == "finished"


def test_a_discharge_that_names_no_stay_waits_for_somebody_to_look() -> None:
    with pytest.raises(Unmappable, match="PV1-19: The discharge names no stay"):
        adt.to_records(message(PID, visit({2: "I", 3: "E5"}), kind="ADT^A03"), FACILITY)


def test_a_discharge_without_a_time_ended_when_the_event_happened() -> None:
    found = encounter("A03", {2: "I", 19: "V1"})
    assert found["period"] == {"end": "2024-04-03T10:00:00+09:00"}


def test_height_is_a_body_measurement_and_a_blood_group_a_laboratorys() -> None:
    sent = message(
        PID, "OBX|1|NM|9N001000000000001^身長^JC10||152.4|cm^cm^ISO+|||||F",
        "OBX|2|CWE|5H010000001999911^血液型-ABO式^JC10||AB^AB^JSHR002||||||F", "OBX|3|TX|||安静||||||F",
    )
    [record] = adt.to_records(sent, FACILITY)
    found = [one.resource for one in record.entries if one.resource["resourceType"] == "Observation"]
    assert [one.get("category", [{}])[0].get("coding", [{}])[0].get("code") for one in found] == [
        "body-measurement", "laboratory", None]
    assert [one["code"]["coding"][0]["code"] for one in found[:2]] == ["31000298", "5H010000001999911"]


def test_a_diagnosis_is_a_condition_of_the_stay() -> None:
    sent = message(PID, visit({2: "I", 19: "V1"}), "DG1|1||K297^胃炎^I10||20240402|A|||||||||1", kind="ADT^A01")
    [record] = adt.to_records(sent, FACILITY)
    by_type = {one.resource["resourceType"]: one.resource for one in record.entries}
    condition, stay = by_type["Condition"], by_type["Encounter"]
    assert condition["encounter"] == {"reference": f"Encounter/{stay['id']}"}
    assert stay["diagnosis"] == [{
        "condition": {"reference": f"Condition/{condition['id']}"},
        "use": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/diagnosis-role", "code": "AD"}]},
        "rank": 1,
    }]


def test_what_an_adt_says_beyond_its_map_is_noted() -> None:
    [record] = adt.to_records(message(PID, "GT1|1|x", "ZPV|1"), FACILITY)
    assert [(one.place, one.text) for one in record.notes] == [
        ("GT1", "This segment is not mapped."), ("ZPV", "This segment is not mapped.")]
