from typing import Any

import pytest

from terminology.concept_maps import concept_map
from terminology.service import Coding, translate

SEX = "http://hl7.org/fhir/administrative-gender"


def mapped(*groups: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "ConceptMap", "group": list(groups)}


MAPS = {
    "plain": mapped({"target": "urn:t", "element": [{"code": "a", "target": [{"code": "x"}]}]}),
    "provided": mapped({"target": "urn:t", "element": [], "unmapped": {"mode": "provided"}}),
    "fixed": mapped({"target": "urn:t", "element": [], "unmapped": {"mode": "fixed", "code": "other"}}),
    "two": mapped(
        {"target": "urn:t", "element": [{"code": "a", "target": [{"code": "x"}]}]},
        {"target": "urn:u", "element": [{"code": "b", "target": [{"code": "y"}]}]},
    ),
}


@pytest.mark.parametrize("name, code, target", [
    ("plain", "a", Coding("urn:t", "x")),
    ("plain", "b", None),
    ("provided", "b", Coding("urn:t", "b")),
    ("fixed", "b", Coding("urn:t", "other")),
    ("two", "a", Coding("urn:t", "x")),
    ("two", "b", Coding("urn:u", "y")),
])
def test_a_code_becomes_its_target_or_what_unmapped_says(name: str, code: str, target: Coding | None) -> None:
    assert translate(name, code, MAPS.__getitem__) == target


@pytest.mark.parametrize("name, code, target", [
    ("administrative-sex", "F", Coding(SEX, "female")),
    ("administrative-sex", "A", Coding(SEX, "other")),
    ("administrative-sex", "female", None),
    ("patient-class", "I", Coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "IMP")),
    ("patient-class", "X", Coding("http://terminology.hl7.org/CodeSystem/v2-0004", "X")),
    ("name-representation", "P", Coding("http://terminology.hl7.org/CodeSystem/v3-EntityNameUse", "SYL")),
    ("order-control", "CA", Coding("http://hl7.org/fhir/request-status", "revoked")),
    ("unit", ".10*4/uL", Coding("http://unitsofmeasure.org", "10*4/uL")),
])
def test_the_maps_of_the_feeds(name: str, code: str, target: Coding | None) -> None:
    assert translate(name, code) == target


def test_a_map_is_known_by_its_file_name() -> None:
    assert concept_map("administrative-sex")["id"] == "administrative-sex"
    with pytest.raises(FileNotFoundError):
        concept_map("nothing")
