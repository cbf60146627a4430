"""https://hl7.org/fhir/R4/search.html#combining"""

from typing import Any

import pytest

from fhir_server.definitions.registry import load
from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.query import parse
from tests.fhir_server.search.conftest import Search

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"


def coded(code: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": code}]}


def pressure(id: str, systolic: int, diastolic: int) -> dict[str, Any]:
    parts = [{"code": coded(code), "valueQuantity": {"value": value, "system": UCUM, "code": "mm[Hg]"}}
             for code, value in (("8480-6", systolic), ("8462-4", diastolic))]
    return {"resourceType": "Observation", "id": id, "status": "final", "code": coded("85354-9"), "component": parts}


def observation(id: str, code: str, **value: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": id, "status": "final", "code": coded(code), **value}


OBSERVATIONS = [
    pressure("high", 160, 95),
    pressure("low", 95, 60),
    observation("mg", "2345-7", valueQuantity={"value": 100, "system": UCUM, "code": "mg/dL"}),
    observation("g", "2345-7", valueQuantity={"value": 1, "system": UCUM, "code": "g/L"}),
    observation("kind", "883-9", valueCodeableConcept={"coding": [{"system": "urn:abo", "code": "A"}]}),
    observation("said", "8302-2", valueString="Tall"),
    observation("when", "8665-2", valueDateTime="2024-05-01"),
]


@pytest.mark.parametrize("query, found", [
    ("component-code-value-quantity=8480-6$160", ["high"]),
    ("component-code-value-quantity=8462-4$160", []),
    ("component-code-value-quantity=8480-6$95", ["low"]),
    ("component-code-value-quantity=8462-4$95", ["high"]),
    ("component-code-value-quantity=http://loinc.org|8480-6$gt100", ["high"]),
    ("component-code-value-quantity=http://example.org|8480-6$gt100", []),
    ("component-code-value-quantity=8480-6$160||mm[Hg]", ["high"]),
    ("component-code-value-quantity=8480-6$160||kPa", []),
    ("component-code-value-quantity=8480-6$gt20|http://unitsofmeasure.org|kPa", ["high"]),
    ("component-code-value-quantity=8480-6$ne160|http://unitsofmeasure.org|mm[Hg]", ["low"]),
    ("component-code-value-quantity=8480-6$160,8480-6$95", ["low", "high"]),
    ("component-code-value-quantity=http://loinc.org|$160", ["high"]),
    ("code-value-quantity=2345-7$100", ["mg"]),
    ("code-value-quantity=2345-7$100|http://unitsofmeasure.org|mg/dL", ["g", "mg"]),
    ("code-value-quantity=8480-6$100", []),
    ("combo-code-value-quantity=2345-7$ge1", ["g", "mg"]),
    ("combo-code-value-quantity=8480-6$lt100", ["low"]),
    ("combo-code-value-quantity=2345-7$100,8480-6$lt100", ["mg", "low"]),
    ("code-value-concept=883-9$A", ["kind"]),
    ("code-value-concept=883-9$urn:abo|A", ["kind"]),
    ("code-value-concept=883-9$B", []),
    ("combo-code-value-concept=883-9$A", ["kind"]),
    ("code-value-string=8302-2$ta", ["said"]),
    ("code-value-string=8302-2$small", []),
    ("code-value-date=8665-2$2024-05", ["when"]),
    ("code-value-date=8665-2$gt2024-05-01", []),
])
def test_both_values_stand_in_the_same_element(search: Search, query: str, found: list[str]) -> None:
    assert search(OBSERVATIONS, f"Observation?{query}") == found


SEQUENCES: list[dict[str, Any]] = [{
    "resourceType": "MolecularSequence", "id": "sequence", "coordinateSystem": 0,
    "referenceSeq": {"chromosome": {"coding": [{"code": "7"}]}, "windowStart": 10, "windowEnd": 500},
    "variant": [{"start": 20, "end": 30}, {"start": 40, "end": 60}],
}]


@pytest.mark.parametrize("query, found", [
    ("chromosome-variant-coordinate=7$20$30", ["sequence"]),
    ("chromosome-variant-coordinate=7$20$60", []),
    ("chromosome-variant-coordinate=7$ge40$le60", ["sequence"]),
    ("chromosome-variant-coordinate=8$20$30", []),
    ("chromosome-window-coordinate=7$lt20$gt400", ["sequence"]),
])
def test_three_components_one_of_the_whole_resource(search: Search, query: str, found: list[str]) -> None:
    assert search(SEQUENCES, f"MolecularSequence?{query}") == found


def of_use(id: str, *contexts: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "id": id, "status": "draft",
            "useContext": [{"code": {"code": code}, **value} for code, value in contexts]}


AGES = {"low": {"value": 1, "system": UCUM, "code": "a"}, "high": {"value": 10, "system": UCUM, "code": "a"}}
VALUE_SETS = [
    of_use("child", ("age", {"valueRange": AGES}), ("focus", {"valueCodeableConcept": {"coding": [{"code": "x"}]}})),
    of_use("months", ("age", {"valueQuantity": {"value": 24, "system": UCUM, "code": "mo"}})),
    of_use("crossed", ("gender", {"valueCodeableConcept": {"coding": [{"code": "x"}]}})),
]


@pytest.mark.parametrize("query, found", [
    ("context-type-value=focus$x", ["child"]),
    ("context-type-value=age$x", []),
    ("context-type-quantity=age$lt5||a", ["child"]),
    ("context-type-quantity=age$2|http://unitsofmeasure.org|a", ["months"]),
    ("context-type-quantity=age$ge5|http://unitsofmeasure.org|a", ["child"]),
    ("context-type-quantity=focus$ge5|http://unitsofmeasure.org|a", []),
    ("context-quantity=gt9|http://unitsofmeasure.org|a", ["child"]),
    ("context-quantity=ap24|http://unitsofmeasure.org|mo", ["months", "child"]),
    ("context-quantity=eb3|http://unitsofmeasure.org|a", ["months"]),
])
def test_a_range_in_a_component_is_a_range(search: Search, query: str, found: list[str]) -> None:
    assert search(VALUE_SETS, f"ValueSet?{query}") == found


@pytest.mark.parametrize("query, text", [
    ("8480-6", "code-value-quantity is code$value-quantity, not '8480-6'."),
    ("8480-6$", "code-value-quantity is code$value-quantity, not '8480-6$'."),
    ("8480-6$1$2", "code-value-quantity is code$value-quantity, not '8480-6$1$2'."),
    ("8480-6$high", "value-quantity: 'high' is no number such as 5.4 or ge5.4."),
])
def test_a_value_with_too_little_or_too_much_is_refused(query: str, text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse("Observation", [("code-value-quantity", query)], load())
    assert str(refused.value) == text


def test_nothing_says_whether_a_composite_is_missing() -> None:
    with pytest.raises(NotSupported) as refused:
        parse("Observation", [("code-value-quantity:missing", "true")], load())
    assert str(refused.value) == "code-value-quantity does not support :missing, only none."
