"""ORU^R01 and OUL^R22: one result is one resource, however it comes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from adapters.hl7v2.messages import oru, oul
from adapters.record import Record, Unmappable, When
from tests.adapters.hl7v2.reading import FACILITY, message

PID = "PID|||0000100001^^^^PI||幸手^桜子^^^^^L^I"
SPM = "SPM|1|S001||023^血清^JC10|||||||||||||20240402080500"
ORC = "ORC|SC|LAB1|||CM"
OBR = "OBR|1|LAB1||3^生化学的検査^JC10|||20240402080500"


def obx(code: str, value: str, sub: str = "", status: str = "F", time: str = "") -> str:
    return f"OBX|1|NM|{code}^x^99X|{sub}|{value}||||||{status}|||{time}"


def from_oru(*segments: str) -> Record:
    [record] = oru.to_records(message(*segments, kind="ORU^R01"), FACILITY)
    return record


def from_oul(*segments: str) -> Record:
    [record] = oul.to_records(message(*segments, kind="OUL^R22"), FACILITY)
    return record


def of(record: Record, type: str) -> list[dict[str, Any]]:
    return [one.resource for one in record.entries if one.resource["resourceType"] == type]


def ids(record: Record) -> set[tuple[str, str]]:
    return {(one.resource["resourceType"], one.resource["id"]) for one in record.entries}


def test_a_result_of_a_patient_and_a_result_of_a_specimen_are_the_same_resources() -> None:
    by_patient = from_oru(PID, ORC, OBR, obx("1", "5"), SPM)
    by_specimen = from_oul(PID, SPM, OBR, ORC, obx("1", "5"))
    assert ids(by_patient) == ids(by_specimen)
    assert by_patient.key == by_specimen.key
    assert {one for one, _ in ids(by_patient)} == {
        "Organization", "Patient", "Specimen", "ServiceRequest", "Observation", "DiagnosticReport"}


def test_a_correction_is_the_same_resources_again() -> None:
    first = from_oul(PID, SPM, OBR, ORC, obx("1", "5", status="P"))
    assert ids(first) == ids(from_oul(PID, SPM, OBR, ORC, obx("1", "6", status="C")))


def test_patient_and_organization_are_stubs_and_results_are_merged() -> None:
    when = {one.resource["resourceType"]: one.when for one in from_oul(PID, SPM, OBR, ORC, obx("1", "5")).entries}
    assert when == {
        "Organization": When.ABSENT, "Patient": When.ABSENT, "Specimen": When.NEWER, "ServiceRequest": When.NEWER,
        "Observation": When.MERGED, "DiagnosticReport": When.MERGED}


@pytest.mark.parametrize("one, other", [
    (obx("1", "5"), obx("2", "5")),
    (obx("1", "5", sub="1"), obx("1", "5", sub="2")),
    (obx("1", "5", time="20240402080500"), obx("1", "7", time="20240402090500")),
    (obx("1", "5"), obx("1", "7")),
])
def test_two_results_of_one_order_are_two(one: str, other: str) -> None:
    record = from_oul(PID, SPM, OBR, ORC, one, other)
    assert len({each["id"] for each in of(record, "Observation")}) == 2


def test_one_order_with_two_panels_is_one_request_and_two_reports() -> None:
    record = from_oul(PID, SPM, OBR, ORC, obx("1", "5"), "OBR|2|LAB1||1^一般検査^JC10", ORC, obx("2", "6"))
    [request] = of(record, "ServiceRequest")
    assert request["code"] == {"text": "生化学的検査、一般検査"}
    assert [one["code"]["text"] for one in of(record, "DiagnosticReport")] == ["生化学的検査", "一般検査"]


def test_results_without_any_number_are_those_of_their_message() -> None:
    orders = [from_oru(PID, f"OBR|1|||X^Y{time}", obx("1", "5")) for time in ("", "|||20240402")]
    nameless = [of(one, "Observation")[0]["id"] for one in orders]
    assert nameless[0] != nameless[1]


def test_two_patients_of_one_message_are_two_records() -> None:
    other = PID.replace("0000100001", "0000100002")
    records = oru.to_records(message(PID, OBR, obx("1", "5"), other, OBR, obx("1", "6"), kind="ORU^R01"), FACILITY)
    subjects = [{one["subject"]["reference"] for one in of(record, "Observation")} for record in records]
    assert [len(one) for one in subjects] == [1, 1]
    assert subjects[0] != subjects[1]


def test_a_document_belongs_to_the_report() -> None:
    record = from_oru(PID, OBR, "OBX|1|ED|PDF^報告書^99X||^AP^PDF^Base64^JVBERi0=||||||F")
    [report] = of(record, "DiagnosticReport")
    assert report["presentedForm"] == [{"contentType": "application/pdf", "data": "JVBERi0=", "title": "報告書"}]
    assert of(record, "Observation") == []


@pytest.mark.parametrize("section, category", [
    ("CH", [("http://loinc.org", "LP29693-6"), ("http://terminology.hl7.org/CodeSystem/v2-0074", "CH")]),
    ("RAD", [("http://terminology.hl7.org/CodeSystem/v2-0074", "RAD")]),
])
def test_only_a_laboratory_makes_laboratory_reports(section: str, category: list[tuple[str, str]]) -> None:
    [report] = of(from_oru(PID, f"{OBR}|||||||||||||||||{section}", obx("1", "5"), SPM), "DiagnosticReport")
    assert [(one["coding"][0]["system"], one["coding"][0]["code"]) for one in report["category"]] == category


def test_comments_go_where_they_belong_and_are_noted_where_nothing_carries_them() -> None:
    with_order = from_oru(PID, ORC, OBR, "NTE|1||空腹時不明", obx("1", "5"), "NTE|1||溶血", "NTE|2||再検")
    assert [one["note"] for one in of(with_order, "ServiceRequest")] == [[{"text": "空腹時不明"}]]
    assert [one["note"] for one in of(with_order, "Observation")] == [[{"text": "溶血\n再検"}]]
    without = from_oru(PID, OBR, "NTE|1||空腹時不明", obx("1", "5"))
    assert [(one.place, one.text) for one in without.notes] == [("NTE-3", "There is no order that could carry this.")]


def test_what_is_not_mapped_is_noted_with_its_place() -> None:
    notes: Sequence[Any] = from_oru(PID, "PD1|||x", OBR, "TQ1|1", obx("1", "5"), "ZRS|1").notes
    assert [(one.place, one.text) for one in notes] == [
        ("PD1", "This segment is not mapped."),
        ("TQ1", "This segment is not mapped."),
        ("ZRS", "This segment is not mapped."),
    ]


def test_a_visit_that_is_named_is_referred_to_and_never_changed() -> None:
    record = from_oru(PID, f"PV1||I|E5{'|' * 16}V1", OBR, obx("1", "5"))
    [encounter] = [one for one in record.entries if one.resource["resourceType"] == "Encounter"]
    assert encounter.when is When.ABSENT
    assert of(record, "Observation")[0]["encounter"] == {"reference": f"Encounter/{encounter.resource['id']}"}
    assert [one for one in from_oru(PID, "PV1||I|E5", OBR, obx("1", "5")).entries if "class" in one.resource] == []


def test_digits_of_a_result_stay_as_they_were_sent() -> None:
    record = from_oul(PID, SPM, OBR, ORC, "OBX|1|NM|1^x^99X||5.60|mg/dL|||||F")
    assert str(of(record, "Observation")[0]["valueQuantity"]["value"]) == str(Decimal("5.60"))


def test_a_result_of_nobody_is_not_mapped() -> None:
    with pytest.raises(Unmappable, match="PID: There is no PID segment."):
        from_oul(SPM, OBR, ORC, obx("1", "5"))
