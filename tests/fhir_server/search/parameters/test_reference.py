"""https://hl7.org/fhir/R4/search.html#reference"""

from typing import Any

import pytest

from fhir_server.definitions.registry import load
from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.query import parse
from tests.fhir_server.search.conftest import Search


def observation(id: str, subject: dict[str, Any], **content: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, "subject": subject,
        **content,
    }


OBSERVATIONS = [
    observation("one", {"reference": "Patient/1"}),
    observation("version", {"reference": "Patient/1/_history/3"}),
    observation("group", {"reference": "Group/1"}),
    observation("elsewhere", {"reference": "http://other.example/fhir/Patient/1"}),
    observation("contained", {"reference": "#p"}, contained=[{"resourceType": "Patient", "id": "p"}]),
    observation("logical", {"identifier": {"value": "1"}}),
    observation("known", {"identifier": {"system": "urn:h", "value": "0|1"}, "reference": "Patient/9"}),
    observation("urn", {"reference": "urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7"}),
    observation("eleven", {"reference": "Patient/11"}),
]


@pytest.mark.parametrize("query, found", [
    ("subject=Patient/1", ["version", "one"]),
    ("subject=1", ["group", "version", "one"]),
    ("subject:Patient=1", ["version", "one"]),
    ("subject:Group=Group/1", ["group"]),
    ("patient=1", ["version", "one"]),
    ("patient=Patient/1", ["version", "one"]),
    ("patient=Group/1", []),
    ("patient:Group=1", []),
    ("patient=http://other.example/fhir/Patient/1", ["elsewhere"]),
    ("subject=http://other.example/fhir/Patient/1", ["elsewhere"]),
    ("subject=urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7", ["urn"]),
    ("subject=Patient/1,Patient/11", ["eleven", "version", "one"]),
    ("subject=Patient/2", []),
    ("patient:missing=false", ["eleven", "known", "elsewhere", "version", "one"]),
    ("subject:identifier=1", ["logical"]),
    ("subject:identifier=|1", ["logical"]),
    ("subject:identifier=urn:h|0\\|1", ["known"]),
    ("subject:identifier=0\\|1", ["known"]),
    ("patient:identifier=urn:h|0\\|1", ["known"]),
    ("subject:identifier=urn:other|0\\|1", []),
    ("subject:identifier=Patient/1", []),
    ("subject:missing=true", ["logical", "contained"]),
])
def test_references_are_found_by_type_and_id(search: Search, query: str, found: list[str]) -> None:
    assert search(OBSERVATIONS, f"Observation?{query}") == found


CARE_PLANS: list[dict[str, Any]] = [
    {"resourceType": "CarePlan", "id": "v1", "status": "active", "intent": "plan",
     "subject": {"reference": "Patient/1"},
     "instantiatesCanonical": ["http://example.org/PlanDefinition/p|1.0"]},
    {"resourceType": "CarePlan", "id": "any", "status": "active", "intent": "plan",
     "subject": {"reference": "Patient/1"},
     "instantiatesCanonical": ["http://example.org/PlanDefinition/p"]},
    {"resourceType": "CarePlan", "id": "v1.0.2", "status": "active", "intent": "plan",
     "subject": {"reference": "Patient/1"},
     "instantiatesCanonical": ["http://example.org/PlanDefinition/p|1.0.2"]},
]


@pytest.mark.parametrize("query, found", [
    ("instantiates-canonical=http://example.org/PlanDefinition/p", ["v1.0.2", "any", "v1"]),
    ("instantiates-canonical:below=http://example.org/PlanDefinition/p", ["v1.0.2", "any", "v1"]),
    ("instantiates-canonical:below=http://example.org/PlanDefinition/p|1.0", ["v1.0.2", "v1"]),
    ("instantiates-canonical:below=http://example.org/PlanDefinition/p|1", ["v1.0.2", "v1"]),
    ("instantiates-canonical:below=http://example.org/PlanDefinition/p|1.0.2", ["v1.0.2"]),
    ("instantiates-canonical:below=http://example.org/PlanDefinition/p|.*", []),
    ("instantiates-canonical:above=http://example.org/PlanDefinition/p|1.0.2", ["v1.0.2", "v1"]),
    ("instantiates-canonical:above=http://example.org/PlanDefinition/p|1.0", ["v1"]),
    ("instantiates-canonical=http://example.org/PlanDefinition/p\\|1.0", ["v1"]),
    ("instantiates-canonical=http://example.org/PlanDefinition/p|1.0", ["v1"]),
])
def test_a_canonical_is_found_with_and_without_its_version(search: Search, query: str, found: list[str]) -> None:
    assert search(CARE_PLANS, f"CarePlan?{query}") == found


@pytest.mark.parametrize("query, error, text", [
    ("subject:below=Patient/1", NotSupported,
     "subject:below is for versions of canonicals; it refers to resources."),
    ("subject:identifier=", BadRequest, "subject:identifier has an empty value."),
    ("subject:identifier=urn:h|", BadRequest, "subject:identifier is system|value of a reference, not 'urn:h|'."),
    ("subject:exact=1", NotSupported,
     "subject does not support :exact, only :identifier, :above, :below, :missing."),
])
def test_modifiers_that_do_not_fit_are_refused(query: str, error: type[Exception], text: str) -> None:
    name, _, value = query.partition("=")
    with pytest.raises(error) as refused:
        parse("Observation", [(name, value)], load())
    assert str(refused.value) == text
