from decimal import Decimal
from typing import Any

import pytest

from adapters.hl7v2.segments import obr, obx
from tests.adapters.hl7v2.reading import noted, scope, segment

UNIT = {"unit": "mg/dL", "system": "http://unitsofmeasure.org", "code": "mg/dL"}
ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
NO_NUMBER = [("OBX-5", "This is no number.")]


def result(type: str, value: str, unit: str = "", status: str = "F") -> str:
    return f"OBX|1|{type}|3C015000002327101^ＣＲＥ^JC10||{value}|{unit}|||||{status}"


@pytest.mark.parametrize("raw, value, notes", [
    (result("NM", "0.620", "mg/dL"), {"valueQuantity": {"value": Decimal("0.620"), **UNIT}}, []),
    (result("NM", "1-4", "/(hpf)^/HPF"), {"valueString": "1-4 /HPF"}, NO_NUMBER),
    (result("NM", "<0.05", "mg/dL"), {
        "valueQuantity": {"value": Decimal("0.05"), "comparator": "<", **UNIT}}, []),
    (result("ST", "<0.05", "mg/dL"), {
        "valueQuantity": {"value": Decimal("0.05"), "comparator": "<", **UNIT}}, []),
    (result("ST", "0905"), {"valueString": "0905"}, []),
    (result("ST", "  -"), {"valueString": "-"}, []),
    (result("SN", "<^0.01", "mg/dL"), {
        "valueQuantity": {"value": Decimal("0.01"), "comparator": "<", **UNIT}}, []),
    (result("TX", "first~second"), {"valueString": "first\nsecond"}, []),
    (result("FT", "one\\.br\\two"), {"valueString": "one\ntwo"}, []),
    (result("CWE", "1^（1+）^JSHR002"), {"valueCodeableConcept": {
        "coding": [{"system": "urn:kakehashi:CodeSystem:JSHR002", "code": "1", "display": "（1+）"}],
        "text": "（1+）"}}, []),
    (result("TS", "202404011000"), {"valueDateTime": "2024-04-01T10:00:00+09:00"}, []),
    (result("DT", "20240401"), {"valueDateTime": "2024-04-01"}, []),
    (result("TM", "1000"), {"valueTime": "10:00:00"}, []),
    (result("DR", "20240401^20240402"), {"valuePeriod": {"start": "2024-04-01", "end": "2024-04-02"}}, []),
    (result("NR", "1^4"), {"valueRange": {"low": {"value": Decimal("1")}, "high": {"value": Decimal("4")}}}, []),
    (result("NM", "60~120"), {"component": [
        {"code": {"coding": [{"system": "http://medis.or.jp/CodeSystem/master-JLAC10-17digits",
                              "code": "3C015000002327101", "display": "ＣＲＥ"}], "text": "ＣＲＥ"},
         "valueQuantity": {"value": value}} for value in (Decimal("60"), Decimal("120"))]}, []),
    (result("", "x"), {"valueString": "x"}, [
        ("OBX-5", "The type of this value is not known; it is kept as text.")]),
    (result("NM", "", status="P"), {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": "temp-unknown"}]}}, []),
    (result("NM", '""', status="X"), {
        "dataAbsentReason": {"coding": [{"system": ABSENT, "code": "not-performed"}]}}, []),
    (result("NM", ""), {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": "unknown"}]}}, []),
])
def test_a_value_is_of_the_type_it_has(raw: str, value: dict[str, Any], notes: list[tuple[str, str]]) -> None:
    within = scope()
    found = obx.observation(segment(raw), within)
    assert {name: one for name, one in found.items() if name not in ("status", "code")} == value
    assert noted(within) == notes


@pytest.mark.parametrize("sent, sides", [
    ("0.46-0.79", {"low": "0.46", "high": "0.79"}),
    ("0.46～0.79", {"low": "0.46", "high": "0.79"}),
    ("-2.0 - +2.0", {"low": "-2.0", "high": "2.0"}),
    ("<0.14", {"high": "0.14"}),
    ("130>", {"high": "130"}),
    ("100以上", {"low": "100"}),
    ("５以下", {"high": "5"}),
    ("(-)", {}),
    ("M:4.3-5.7", {}),
])
def test_a_reference_range_is_kept_as_written_and_as_numbers_where_it_is_some(sent: str, sides: dict[str, str]) -> None:
    found = obx.observation(segment(f"OBX|1|NM|X||1||{sent}||||F"), scope())["referenceRange"]
    assert found == [{**{name: {"value": Decimal(side)} for name, side in sides.items()}, "text": sent}]


@pytest.mark.parametrize("sent, found", [
    ("H", {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "H"}]}),
    ("MS", {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "code": "S"}]}),
    ("*", {"text": "*"}),
])
def test_a_flag_of_the_laboratorys_own_stays_text(sent: str, found: dict[str, Any]) -> None:
    assert obx.observation(segment(f"OBX|1|NM|X||1|||{sent}|||F"), scope())["interpretation"] == [found]


@pytest.mark.parametrize("status, fhir", [
    ("F", "final"), ("P", "preliminary"), ("C", "corrected"), ("X", "cancelled"), ("D", "entered-in-error"),
    ("W", "entered-in-error"), ("I", "registered"), ("", "unknown"),
])
def test_a_status_is_that_of_table_0085(status: str, fhir: str) -> None:
    assert obx.observation(segment(result("NM", "1", status=status)), scope())["status"] == fhir


def stated(status: str, value: str) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": "o1", "status": status, "valueString": value}


@pytest.mark.parametrize("earlier, later, found", [
    (stated("preliminary", "1"), stated("final", "2"), stated("final", "2")),
    (stated("final", "1"), stated("preliminary", "2"), stated("final", "1")),
    (stated("final", "1"), stated("corrected", "2"), stated("corrected", "2")),
    (stated("corrected", "1"), stated("final", "2"), stated("corrected", "2")),
    (stated("final", "1"), stated("entered-in-error", "1"), stated("entered-in-error", "1")),
    (stated("final", "1"), stated("cancelled", "1"), stated("cancelled", "1")),
    (stated("unknown", "1"), stated("unknown", "2"), stated("unknown", "2")),
])
def test_a_result_never_goes_back(earlier: dict[str, Any], later: dict[str, Any], found: dict[str, Any]) -> None:
    assert obx.merge_observation(earlier, later) == found


def test_the_results_of_a_report_add_up_and_its_status_never_goes_back() -> None:
    def report(status: str, *results: str) -> dict[str, Any]:
        return {"id": "r1", "status": status, "result": [{"reference": one} for one in results]}

    assert obr.merge_report(report("partial", "a", "b"), report("final", "b", "c")) == report("final", "a", "b", "c")
    assert obr.merge_report(report("final", "a"), report("preliminary", "b")) == report("final", "a", "b")


@pytest.mark.parametrize("stated_as, order, results, status", [
    ("F", "", [], "final"),
    ("A", "", ["final"], "partial"),
    ("", "CM", ["final"], "final"),
    ("", "IP", ["preliminary"], "preliminary"),
    ("", "IP", [], "registered"),
    ("", "", [], "registered"),
    ("", "", ["final", "cancelled"], "final"),
    ("", "", ["final", "preliminary"], "partial"),
    ("", "", ["final", "corrected"], "corrected"),
    ("", "", ["preliminary"], "preliminary"),
])
def test_a_report_is_as_far_as_it_says_else_as_its_results(
    stated_as: str, order: str, results: list[str], status: str
) -> None:
    request = segment("OBR" + "|" * 25 + stated_as)
    control = segment(f"ORC|SC||||{order}") if order else None
    assert obr.status(request, control, results, scope()) == status
