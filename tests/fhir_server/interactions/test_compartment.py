"""search in the compartments of a patient, an encounter, a practitioner, a related person and a device."""

from typing import Any

import pytest

from fhir_server.outcome import Issue, operation_outcome
from tests.server import Client

FORM = "application/x-www-form-urlencoded"
STORED: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "p1"},
    {"resourceType": "Patient", "id": "p2", "link": [{"other": {"reference": "Patient/p1"}, "type": "seealso"}]},
    {"resourceType": "Practitioner", "id": "d1"},
    {"resourceType": "Device", "id": "v1", "patient": {"reference": "Patient/p1"}},
    {"resourceType": "RelatedPerson", "id": "r1", "patient": {"reference": "Patient/p1"}},
    {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"},
     "subject": {"reference": "Patient/p1"},
     "participant": [{"individual": {"reference": "Practitioner/d1"}},
                     {"individual": {"reference": "RelatedPerson/r1"}}]},
    {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"coding": [{"code": "a"}]},
     "subject": {"reference": "Patient/p1"}, "encounter": {"reference": "Encounter/e1"},
     "device": {"reference": "Device/v1"}},
    {"resourceType": "Observation", "id": "o2", "status": "final", "code": {"coding": [{"code": "b"}]},
     "subject": {"reference": "Patient/p2"}, "performer": [{"reference": "Patient/p1"}]},
    {"resourceType": "Observation", "id": "o3", "status": "final", "code": {"coding": [{"code": "a"}]},
     "subject": {"reference": "Patient/p2"}, "performer": [{"reference": "Practitioner/d1"}]},
    {"resourceType": "AuditEvent", "id": "a1", "type": {"code": "rest"}, "recorded": "2026-01-01T00:00:00Z",
     "agent": [{"requestor": True}], "source": {"observer": {"reference": "Device/v1"}},
     "entity": [{"what": {"reference": "Patient/p1"}}]},
]


@pytest.fixture
def stored(fhir: Client) -> Client:
    for one in STORED:
        assert fhir.send("PUT", f"{one['resourceType']}/{one['id']}", one).ok
    return fhir


@pytest.mark.parametrize("search, found", [
    ("Patient/p1/Observation", "o2 o1"),
    ("Patient/p1/Observation?code=a", "o1"),
    ("Patient/p1/Observation?_sort=_id", "o1 o2"),
    ("Patient/p2/Observation", "o3 o2"),
    ("Patient/none/Observation", ""),
    ("Patient/p1/Patient", "p2"),
    ("Patient/p1/AuditEvent", "a1"),
    ("Patient/p1/*", "a1 o2 o1 e1 r1 p2"),
    ("Patient/p1/*?_type=Observation,Encounter", "o2 o1 e1"),
    ("Patient/p1/*?_lastUpdated=lt2026-04-01T09:00:06Z", "e1 r1 p2"),
    ("Encounter/e1/*", "o1 e1"),
    ("Encounter/e1/Encounter", "e1"),
    ("Encounter/e1/Encounter?status=planned", ""),
    ("Practitioner/d1/*", "o3 e1 d1"),
    ("RelatedPerson/r1/*", "e1 r1"),
    ("Device/v1/*", "o1"),
])
def test_a_compartment_holds_what_the_definitions_say(stored: Client, search: str, found: str) -> None:
    """The newest first, each a second after the one before."""
    assert stored.ids(search) == found.split()


def test_the_answer_is_a_searchset_whose_links_lead_through_the_compartment(stored: Client) -> None:
    first = stored.get("Patient/p1/*?_type=Observation,Encounter&_count=2").json()
    links = {one["relation"]: one["url"] for one in first["link"]}
    second = stored.get(links["next"].removeprefix(f"{stored.base}/")).json()
    where = f"{stored.base}/Patient/p1/*?_type=Observation,Encounter&_count=2"
    assert (first["type"], links["self"], [one["resource"]["id"] for one in first["entry"]]) == (
        "searchset", where, ["o2", "o1"])
    assert (second["link"], [one["fullUrl"] for one in second["entry"]]) == (
        [{"relation": "self", "url": where}], [f"{stored.base}/Encounter/e1"])


def test_a_page_is_good_for_its_own_compartment_alone(stored: Client) -> None:
    token = stored.get("Patient/p1/Observation?_count=1").json()["link"][1]["url"].partition("_page=")[2]
    assert [stored.get(f"{path}?_page={token}").status_code for path in (
        "Patient/p1/Observation", "Patient/p2/Observation", "Encounter/p1/Observation", "Observation")] == [
        200, 400, 400, 400]


def test_a_search_in_a_compartment_may_be_posted(stored: Client) -> None:
    posted = stored.send("POST", "Patient/p1/Observation/_search", "code=a", Content_Type=FORM)
    assert posted.json() == stored.get("Patient/p1/Observation?code=a").json()


@pytest.mark.parametrize("path, status, text, code, expression", [
    ("Observation/o1/Patient", 404, "There is no compartment of Observation.", "not-found", None),
    ("Patient/p1/Organization", 404, "Organization is never in the compartment of Patient.", "not-found", None),
    ("Patient/p1/Nonsense", 404, "There is no resource type 'Nonsense' in FHIR R4.", "not-found", None),
    ("Patient/p1/*?_type=Organization", 400, "_type: Organization is never in the compartment of Patient.", "invalid",
     "http._type"),
    ("Patient/p1/*?_type=Nonsense", 400, "_type: there is no resource type 'Nonsense'.", "invalid", "http._type"),
])
def test_what_is_in_no_compartment_is_refused(
    fhir: Client, path: str, status: int, text: str, code: str, expression: str | None
) -> None:
    answer = fhir.get(path)
    assert (answer.status_code, answer.json()) == (status, operation_outcome([Issue(text, code, expression)]))
