from typing import Any

import pytest

from adapters.hl7v2.segments import pid
from adapters.identity import patient_id
from adapters.record import Unmappable
from tests.adapters.hl7v2.reading import message, noted, scope, segment

OWN = "urn:oid:1.2.392.100495.20.3.51.11119999991"


def numbers(patient: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["system"], one["value"]) for one in patient["identifier"]]


@pytest.mark.parametrize("raw, identifiers", [
    ("PID|||0000100001^^^^PI", [(OWN, "0000100001")]),
    ("PID|||N1^^^NAT&2.16.840.9&ISO^NI~77^^^SAITO^MR", [(OWN, "77"), ("urn:oid:2.16.840.9", "N1")]),
    ("PID|||77^^^SAITO&2.16.840.1&ISO^MR", [(OWN, "77"), ("urn:oid:2.16.840.1", "77")]),
    ("PID||77||78", [(OWN, "77"), (OWN, "78")]),
])
def test_the_facilitys_own_number_stands_first_in_the_systems_of_the_network(
    raw: str, identifiers: list[tuple[str, str]]
) -> None:
    assert numbers(pid.patient(segment(raw), scope())) == identifiers


@pytest.mark.parametrize("raw, key", [
    ("PID|||77^^^SAITO^MR", ("77",)),
    ("PID|||77", ("77",)),
    ("PID|||N1^^^NAT^NI~78^^^^PI~77^^^^MR", ("77",)),
    ("PID|||77^^^CLINIC^MR", ("77", "CLINIC")),
])
def test_a_patient_is_known_by_the_medical_record_number_and_by_who_gave_it(raw: str, key: tuple[str, ...]) -> None:
    assert pid.patient(segment(raw), scope())["id"] == patient_id("1119999991", *key)


@pytest.mark.parametrize("raw", ["PID|||", "PID|||^^^NAT^NI", 'PID|||""'])
def test_a_patient_without_a_number_is_nobody(raw: str) -> None:
    with pytest.raises(Unmappable, match="PID-3: There is no patient number."):
        pid.patient(segment(raw), scope())


@pytest.mark.parametrize("fields, found", [
    ({7: "195501170830"}, {"birthDate": "1955-01-17", "_birthDate": {"extension": [{
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
        "valueDateTime": "1955-01-17T08:30:00+09:00"}]}}),
    ({24: "Y", 25: "2"}, {"multipleBirthInteger": 2}),
    ({24: "Y"}, {"multipleBirthBoolean": True}),
    ({29: "20240501", 30: "Y"}, {"deceasedDateTime": "2024-05-01"}),
    ({30: "N"}, {"deceasedBoolean": False}),
    ({15: "ja^^ISO639"}, {"communication": [{"language": {
        "coding": [{"system": "urn:kakehashi:1119999991:ISO639", "code": "ja"}]}}]}),
    ({7: '""', 8: "U"}, {"gender": "unknown"}),
])
def test_what_else_a_pid_says(fields: dict[int, str], found: dict[str, Any]) -> None:
    raw = "PID" + "".join("|" + {3: "77", **fields}.get(number, "") for number in range(1, 31))
    patient = pid.patient(segment(raw), scope())
    assert {name: one for name, one in patient.items() if name not in RULED} == found


RULED = ("resourceType", "id", "meta", "identifier")


def test_a_contact_can_be_reached_and_is_not_the_patient_himself() -> None:
    within = scope()
    sent = message(
        "NK1|1|ミホン^ヨシコ^^^^^L^P~見本^良子^^^^^L^I|SPO^配偶者^HL70063||^PRN^PH^^^^^^^^^06-5555-0142",
        "NK1|2|||||||||||||",
        "NK1|3|見本^次郎|SEL^本人^HL70063||||||||||架空園芸株式会社",
        "NK1|4||EMR||||||||||架空園芸株式会社",
    )
    [spouse, employer] = pid.contacts(sent.all("NK1"), within)
    assert spouse["name"]["text"] == "見本 良子"
    assert spouse["telecom"] == [{"use": "home", "system": "phone", "value": "06-5555-0142"}]
    assert employer == {
        "relationship": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0063", "code": "EMR"}]}],
        "organization": {"type": "Organization", "display": "架空園芸株式会社"},
    }
    assert noted(within) == [
        ("NK1-2", "Another value than the one taken, of an element that has one."),
        ("NK1[3]-3", "An entry of the patient about himself is no contact."),
    ]


@pytest.mark.parametrize("raw, count", [("DB1|1|PT||Y", 1), ("DB1|1|PT||N", 0), ("DB1|1|GT||Y", 0)])
def test_a_disability_is_said_of_the_patient_alone(raw: str, count: int) -> None:
    assert len(pid.disabilities([segment(raw)], scope())) == count
