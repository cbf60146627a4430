"""What the files of a storage state: all facts of the sample storages, and the places where a file is refused."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.facility import JST, Facility
from adapters.hl7v2 import messages
from adapters.record import Record, Unmappable, When
from adapters.ssmix2.kinds import left_alone, to_records
from adapters.ssmix2.walk import walk
from fhir_server.fhirjson import Resource

FACILITY = Facility("1119999991", "埼東中央病院")
RECEIVED = datetime(2026, 4, 1, 9, tzinfo=JST)


def records(root: Path, facility: Facility = FACILITY) -> Iterator[Record]:
    for files in walk(str(root), facility.number, 10_000_000):
        for file in files:
            if file.key:
                yield from to_records(Path(file.path).read_bytes(), file.path.name, facility, RECEIVED)


def fold(found: Iterator[Record]) -> dict[str, Resource]:
    """What is current after the records, in the simplest way that can be right: the newest version of each record."""
    newest: dict[str, Record] = {}
    for record in found:
        if record.key not in newest or record.time >= newest[record.key].time:
            newest[record.key] = record
    entries = [entry for one in newest.values() if not one.withdrawn for entry in one.entries]
    stated = sorted(entries, key=lambda entry: entry.when is not When.ABSENT)
    return {f"{one.resource['resourceType']}/{one.resource['id']}": one.resource for one in stated}


def of(type_: str, resources: dict[str, Resource]) -> list[Resource]:
    return [one for one in resources.values() if one["resourceType"] == type_]


def identifier(resource: Resource, end: str) -> str:
    return next(one["value"] for one in resource["identifier"] if one["system"].endswith(end))


def rp(requests: list[Resource], number: str, index: str = "1") -> Resource:
    [found] = [
        one for one in requests
        if (identifier(one, "RPGroupNumber"), identifier(one, "AdministrationIndex")) == (number, index)
    ]
    return found


@pytest.fixture(scope="module")
def twins(ssmixtwins: Path) -> dict[str, Resource]:
    return fold(records(ssmixtwins))


@pytest.fixture(scope="module")
def current(own: Path) -> dict[str, Resource]:
    return fold(records(own / "1119999991"))


def named(patient: Resource, representation: str) -> str:
    return next(str(one["text"]) for one in patient["name"] if one["extension"][0]["valueCode"] == representation)


def test_the_twenty_patients_have_their_names_and_birthdays(twins: dict[str, Resource], expected: Any) -> None:
    stated = {
        identifier(one, "1119999991"): (named(one, "IDE"), named(one, "SYL"), one["birthDate"].replace("-", ""))
        for one in of("Patient", twins)
    }
    assert stated == {
        number: (facts["name_kanji"], facts["name_kana"], facts["birth"]) for number, facts in expected.items()
    }


def test_every_prescribed_drug_is_one_request(twins: dict[str, Resource], expected: Any) -> None:
    requests = of("MedicationRequest", twins)
    stated = Counter(
        (
            identifier(one, ".11.11119999991"),
            one["medicationCodeableConcept"]["coding"][0]["code"],
            str(one["dispenseRequest"]["quantity"]["value"]),
            one["dispenseRequest"]["quantity"]["code"],
        )
        for one in requests
    )
    assert stated == Counter(tuple(order) for facts in expected.values() for order in facts["orders"])
    assert stated.total() == 212


def test_every_laboratory_value_is_one_observation(twins: dict[str, Resource], expected: Any) -> None:
    values = sum(len(values) for facts in expected.values() for values in facts["labs"].values())
    results = [one for one in of("Observation", twins) if "specimen" in one]
    assert len(results) == values == 1494


def test_every_problem_is_one_condition(twins: dict[str, Resource], expected: Any) -> None:
    problems = sum(facts["seg"].get("PPR-01/PRB", 0) for facts in expected.values())
    assert len(of("Condition", twins)) == problems == 73


def test_no_reference_leads_out_of_the_storage(twins: dict[str, Resource]) -> None:
    subjects = {one["subject"]["reference"] for one in twins.values() if "subject" in one}
    assert subjects <= twins.keys()


def test_the_patient_of_the_newer_file(current: dict[str, Resource]) -> None:
    [patient] = [one for one in of("Patient", current) if identifier(one, "1119999991") == "0000100001"]
    assert (named(patient, "IDE"), named(patient, "SYL")) == ("幸手 桜子", "サッテ サクラコ")
    assert [one["value"] for one in patient["telecom"] if one["system"] == "phone"][:1] == ["0480-98-1234"]
    assert [one["name"]["text"] for one in patient["contact"]] == ["幸手 一郎"]
    assert len(of("Coverage", current)) == 2
    measured = {one["code"]["coding"][0]["code"]: one for one in of("Observation", current) if "specimen" not in one}
    amounts = [one["valueQuantity"]["value"] for one in measured.values() if "valueQuantity" in one]
    assert [str(one) for one in amounts] == ["152.4", "48.0"]


def test_one_name_part_is_cut_at_its_space(current: dict[str, Resource]) -> None:
    [patient] = [one for one in of("Patient", current) if identifier(one, "1119999991") == "0000100002"]
    assert patient["gender"] == "unknown"
    assert len(patient["name"][0]["given"]) == 1


def test_two_facilities_with_one_number_stay_two_patients(own: Path, current: dict[str, Resource]) -> None:
    other = fold(records(own / "1119999992", replace(FACILITY, number="1119999992")))
    assert len(of("Patient", other)) == 1
    assert not current.keys() & other.keys()


def test_the_changed_prescription_has_six_drugs(current: dict[str, Resource]) -> None:
    requests = of("MedicationRequest", current)
    assert {identifier(one, ".11.11119999991") for one in requests} == {"000000024040101"}
    assert sorted((identifier(one, "RPGroupNumber"), identifier(one, "AdministrationIndex")) for one in requests) == [
        ("1", "1"), ("1", "2"), ("2", "1"), ("3", "1"), ("4", "1"), ("5", "1")]
    assert {one["status"] for one in requests} == {"active"}


def test_every_other_day_with_two_refills(current: dict[str, Resource]) -> None:
    request = rp(of("MedicationRequest", current), "2")
    [dosage] = request["dosageInstruction"]
    assert request["dispenseRequest"]["numberOfRepeatsAllowed"] == 2
    assert [one["coding"][0]["code"] for one in dosage["additionalInstruction"]] == ["I1100000"]
    assert dosage["text"] == "内服・経口・１日１回就寝前　隔日投与　１回１錠　２８日分"
    # 28 days of supply last longer than 28 days.
    assert "repeat" not in dosage["timing"]


def test_a_powder_by_its_active_ingredient(current: dict[str, Resource]) -> None:
    request = rp(of("MedicationRequest", current), "3")
    [rated] = request["dosageInstruction"][0]["doseAndRate"]
    assert rated["type"]["coding"][0]["display"] == "原薬量"
    assert (str(rated["doseQuantity"]["value"]), rated["doseQuantity"]["code"]) == ("50", "MG")
    assert request["note"] == [{"text": "力価 100 mg/g"}]


def test_doses_that_differ_have_no_single_dose(current: dict[str, Resource]) -> None:
    [dosage] = rp(of("MedicationRequest", current), "4")["dosageInstruction"]
    [rated] = dosage["doseAndRate"]
    codes = [one["coding"][0]["code"] for one in dosage["additionalInstruction"]]
    assert codes == ["V14NNNNN", "V22NNNNN", "V31NNNNN"]
    assert "doseQuantity" not in rated
    assert str(rated["rateRatio"]["numerator"]["value"]) == "7"


def test_as_needed_five_times_and_no_other_brand(current: dict[str, Resource]) -> None:
    request = rp(of("MedicationRequest", current), "5")
    [dosage] = request["dosageInstruction"]
    assert dosage["asNeededBoolean"] is True
    assert dosage["patientInstruction"] == "痛むとき　４時間以上あけて"
    assert [one["valueInteger"] for one in request["dispenseRequest"]["extension"] if "valueInteger" in one] == [5]
    assert request["substitution"]["allowedCodeableConcept"]["coding"][0] == {
        "system": "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationSubstitutionProhibittedCategory", "code": "1"}


def problem(name: str, resources: dict[str, Resource]) -> Resource:
    [found] = [one for one in of("Condition", resources) if one["code"]["text"] == name]
    return found


def code(concept: Resource) -> str:
    return str(concept["coding"][0]["code"])


def test_the_problems_of_the_newer_list(current: dict[str, Resource]) -> None:
    gastritis, infection = problem("胃炎", current), problem("急性ウイルス感染症の疑い", current)
    uncoded, ulcer = problem("未コード化傷病名", current), problem("十二指腸潰瘍", current)
    assert (code(gastritis["clinicalStatus"]), gastritis["abatementDateTime"]) == ("resolved", "2019-06-01")
    assert (code(infection["clinicalStatus"]), code(infection["verificationStatus"])) == ("active", "unconfirmed")
    assert [code(one["valueCodeableConcept"]) for one in infection["extension"]][:1] == ["1"]
    assert [one["valueCodeableConcept"]["text"] for one in infection["code"]["extension"]] == ["急性", "の疑い"]
    assert infection["onsetDateTime"] == "2024-03"
    assert code(uncoded["clinicalStatus"]) == "active"
    assert (code(ulcer["verificationStatus"]), "clinicalStatus" in ulcer) == ("entered-in-error", False)
    assert len(of("Condition", current)) == 4


def test_the_results_of_order_201_and_302(current: dict[str, Resource]) -> None:
    results = [one for one in of("Observation", current) if "specimen" in one]
    assert Counter(one["status"] for one in results)["cancelled"] == 1
    compared = [one["valueQuantity"] for one in results if "comparator" in one.get("valueQuantity", {})]
    assert sorted((one["comparator"], str(one["value"])) for one in compared) == [("<", "0.05"), ("<", "2")]
    assert len(of("ServiceRequest", current)) == 2


def file(own: Path, name: str) -> bytes:
    [path] = own.rglob(name)
    return path.read_bytes()


NAME = "0000100001_20240401_OMP-01_000000024040101_20240401113000000_08_1"


@pytest.mark.parametrize("control, place, reason", [
    (f"0000100001/20240401/OMP-02/{NAME}", "file name", "The folders contradict the file name."),
    ("Thumbs.db", "file name", "This is no file name of a storage."),
    (NAME.replace("20240401113000000", "20249901113000000"), "file name", "The file name holds no time."),
    (NAME.replace("0000100001_2", "0000100002_2"), "PID-3", "The patient is another one than in the file name."),
    (NAME.replace("OMP-01", "OML-11"), "MSH-9", "A OML-11 holds a message of the type OUL."),
])
def test_a_file_that_contradicts_its_name_is_refused(own: Path, control: str, place: str, reason: str) -> None:
    with pytest.raises(Unmappable) as refused:
        to_records(file(own, NAME), control, FACILITY, RECEIVED)
    assert (refused.value.place, refused.value.reason) == (place, reason)


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"PID|1\r", b"MSH|^~\\&|A", b"\xff\xfe\x00\x01"])
def test_a_broken_file_is_refused(raw: bytes) -> None:
    with pytest.raises(Unmappable):
        to_records(raw, NAME, FACILITY, RECEIVED)


def test_what_lies_around_a_message_does_no_harm(own: Path) -> None:
    raw = file(own, NAME)
    assert to_records(b"\x0b" + raw.replace(b"\r", b"\r\n") + b"\x1c\r\x1a", NAME, FACILITY, RECEIVED) == to_records(
        raw, NAME, FACILITY, RECEIVED)


def test_flags_say_what_becomes_of_a_record(own: Path) -> None:
    [stated] = to_records(file(own, NAME), NAME, FACILITY, RECEIVED)
    [withdrawn] = to_records(b"", NAME[:-1] + "0", FACILITY, RECEIVED)
    assert (stated.complete, stated.withdrawn) == (True, False)
    assert (withdrawn.withdrawn, withdrawn.entries) == (True, ())
    assert (withdrawn.key, withdrawn.time) == (stated.key, stated.time)
    assert to_records(b"", NAME[:-1] + "2", FACILITY, RECEIVED) == []


@pytest.mark.parametrize("name", [
    NAME,
    "0000100001_-_ADT-00_999999999999999_20240401080512345_-_1",
    "0000100001_-_PPR-01_999999999999999_20240412120500000_16_1",
    "0000100001_20240402_OML-11_000000024040201_20240402140000000_08_1",
])
def test_a_file_and_the_same_message_over_mllp_are_the_same_resources(own: Path, name: str) -> None:
    raw = file(own, name)
    both = to_records(raw, name, FACILITY, RECEIVED), messages.to_records(raw, "m1", FACILITY, RECEIVED)
    by_file, by_mllp = (
        {f"{one.resource['resourceType']}/{one.resource['id']}": one for record in found for one in record.entries}
        for found in both
    )
    assert by_file == by_mllp


def test_a_deleted_patient_stays_inactive(own: Path) -> None:
    name = "0000100001_-_ADT-00_999999999999999_20240401080512345_-_1"
    [record] = to_records(file(own, name), name[:-1] + "0", FACILITY, RECEIVED)
    assert [(one.resource["resourceType"], one.resource["active"]) for one in record.entries] == [("Patient", False)]
    assert (record.complete, record.withdrawn) == (True, True)


def test_other_kinds_and_former_versions_are_left_alone(own: Path) -> None:
    reasons = Counter(
        left_alone(file.key)
        for files in walk(str(own / "1119999991"), "1119999991", 10_000_000) for file in files if file.key
    )
    assert reasons == {"kept, not mapped": 23, "": 8, "superseded": 4}
