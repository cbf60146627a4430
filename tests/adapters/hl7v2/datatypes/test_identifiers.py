"""CX, EI, EIP, HD: numbers and who gave them."""

from typing import Any

import pytest

from adapters.hl7v2.datatypes import cx, ei, hd
from tests.adapters.hl7v2.reading import repetition, scope

PATIENT_NUMBERS = "urn:oid:1.2.392.100495.20.3.51.11119999991"


def typed(code: str) -> dict[str, Any]:
    return {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}]}


@pytest.mark.parametrize("sent, found", [
    ("0000100001^^^^PI", {"type": typed("PI"), "system": PATIENT_NUMBERS, "value": "0000100001"}),
    ("0000100001", {"system": PATIENT_NUMBERS, "value": "0000100001"}),
    ("0000100001^^^SAITO", {"system": PATIENT_NUMBERS, "value": "0000100001"}),
    ("77^^^WESTCLIN", {"system": "urn:kakehashi:1119999991:WESTCLIN", "value": "77"}),
    ("77^^^W&2.16.840.1&ISO^MR^^20200101^20210101", {
        "type": typed("MR"), "system": "urn:oid:2.16.840.1", "value": "77",
        "period": {"start": "2020-01-01", "end": "2021-01-01"}}),
    ("^^^SAITO^PI", None),
])
def test_a_patient_number_belongs_to_the_facility_unless_another_gave_it(sent: str, found: object) -> None:
    assert cx.identifier(repetition(sent), scope()) == found


@pytest.mark.parametrize("sent, found", [
    ("LAB1", {"type": typed("PLAC"), "system": "urn:kakehashi:1119999991:order", "value": "LAB1"}),
    ("LAB1^HIS", {"type": typed("PLAC"), "system": "urn:kakehashi:1119999991:HIS", "value": "LAB1"}),
    ("LAB1^HIS^2.16.840.1^ISO", {"type": typed("PLAC"), "system": "urn:oid:2.16.840.1", "value": "LAB1"}),
    ("^HIS", None),
])
def test_an_order_number_is_of_the_series_of_its_placer(sent: str, found: object) -> None:
    assert ei.placer(repetition(sent), scope()) == found


@pytest.mark.parametrize("sent, value", [("S1", "S1"), ("P1&HIS^F1&LIS", "F1"), ("P1&HIS^", "P1")])
def test_a_specimen_has_the_number_of_who_holds_it(sent: str, value: str) -> None:
    found = ei.specimen(repetition(sent), scope())
    assert found is not None and found["value"] == value


@pytest.mark.parametrize("parts, uri", [
    (("N", "2.16.840.1", "ISO"), "urn:oid:2.16.840.1"),
    (("N", "426D2726-51FC-89FE-A946-8596E80A80EB", "GUID"), "urn:uuid:426d2726-51fc-89fe-a946-8596e80a80eb"),
    (("N", "https://example.org/x", "URI"), "https://example.org/x"),
    (("N", "a b", "DNS"), "urn:kakehashi:1119999991:N"),
    (("N", "", ""), "urn:kakehashi:1119999991:N"),
    (("", "", ""), None),
])
def test_a_designator_is_a_uri(parts: tuple[str, str, str], uri: str | None) -> None:
    assert hd.designated(*parts, scope()) == uri
