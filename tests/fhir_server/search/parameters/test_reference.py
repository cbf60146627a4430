"""https://hl7.org/fhir/R4/search.html#reference"""

from typing import Any

import pytest

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
    ("patient:missing=false", ["eleven", "elsewhere", "version", "one"]),
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
]


@pytest.mark.parametrize("query, found", [
    ("instantiates-canonical=http://example.org/PlanDefinition/p", ["any", "v1"]),
    ("instantiates-canonical=http://example.org/PlanDefinition/p\\|1.0", ["v1"]),
    ("instantiates-canonical=http://example.org/PlanDefinition/p|1.0", ["v1"]),
])
def test_a_canonical_is_found_with_and_without_its_version(search: Search, query: str, found: list[str]) -> None:
    assert search(CARE_PLANS, f"CarePlan?{query}") == found
