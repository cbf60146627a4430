"""$everything of a patient and of an encounter: the compartment, and what that refers to."""

from typing import Any

import pytest

from fhir_server.outcome import Issue, operation_outcome
from tests.server import Client


def ref(reference: str) -> dict[str, str]:
    return {"reference": reference}


P1 = {"resourceType": "Patient", "id": "p1", "managingOrganization": ref("Organization/g1")}
STORED: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "g1"},
    {"resourceType": "Organization", "id": "g2"},
    {"resourceType": "Practitioner", "id": "d1"},
    {"resourceType": "Location", "id": "l1", "managingOrganization": ref("Organization/g2")},
    {"resourceType": "Medication", "id": "m1"},
    P1,
    {"resourceType": "Patient", "id": "p2"},
    {"resourceType": "RelatedPerson", "id": "r1", "patient": ref("Patient/p1")},
    {"resourceType": "Encounter", "id": "e1", "status": "finished", "class": {"code": "AMB"},
     "subject": ref("Patient/p1"), "period": {"start": "2020-01-10", "end": "2020-02-20"},
     "location": [{"location": ref("Location/l1")}]},
    {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "x"},
     "subject": ref("Patient/p1"), "encounter": ref("Encounter/e1"), "effectiveDateTime": "2020-01-15",
     "performer": [ref("Practitioner/d1")]},
    {"resourceType": "Observation", "id": "o2", "status": "final", "code": {"text": "x"},
     "subject": ref("Patient/p1"), "effectiveDateTime": "2021-05-05T10:00:00+09:00"},
    {"resourceType": "Observation", "id": "o3", "status": "final", "code": {"text": "x"},
     "subject": ref("Patient/p2"), "effectiveDateTime": "2020-01-15"},
    {"resourceType": "MedicationRequest", "id": "q1", "status": "active", "intent": "order", "authoredOn": "2020-02-10",
     "subject": ref("Patient/p1"), "medicationReference": ref("Medication/m1")},
]


@pytest.fixture
def stored(fhir: Client) -> Client:
    """Each is written one second after the one before, the first at 9:00:00."""
    for one in STORED:
        assert fhir.send("PUT", f"{one['resourceType']}/{one['id']}", one).ok
    return fhir


def told(bundle: dict[str, Any]) -> tuple[str, str]:
    """The ids of what matched and of what was included."""
    entries = [(one["search"]["mode"], one["resource"]["id"]) for one in bundle.get("entry", [])]
    matched, added = ([id_ for mode, id_ in entries if mode == wanted] for wanted in ("match", "include"))
    return " ".join(matched), " ".join(sorted(added))


@pytest.mark.parametrize("query, matched, added", [
    ("", "p1 e1 q1 o2 o1 r1", "d1 g1 l1 m1"),
    ("?start=2021", "p1 o2 r1", "g1"),
    ("?start=2020-02-15&end=2020-12-31", "p1 e1 r1", "g1 l1"),
    ("?end=2020-01-31", "p1 e1 o1 r1", "d1 g1 l1"),
    ("?end=2020-01-01", "p1 r1", "g1"),
    ("?_since=2026-04-01T09:00:10Z", "q1 o2", "m1"),
    ("?_since=2027", "", ""),
    ("?_type=Observation", "o2 o1", ""),
    ("?_type=Observation,Practitioner", "o2 o1", "d1"),
    ("?_type=Practitioner&_type=Medication", "", "d1 m1"),
    ("?_type=Patient,Organization", "p1", "g1"),
])
def test_everything_of_a_patient(stored: Client, query: str, matched: str, added: str) -> None:
    assert told(stored.get(f"Patient/p1/$everything{query}").json()) == (matched, added)


def test_everything_of_an_encounter_has_its_patient(stored: Client) -> None:
    assert told(stored.get("Encounter/e1/$everything").json()) == ("e1 o1", "d1 l1 p1")


def test_the_answer_is_a_searchset(stored: Client) -> None:
    answer = stored.get("Patient/p1/$everything?_type=Patient").json()
    assert answer == {
        "resourceType": "Bundle", "type": "searchset", "total": 1,
        "link": [{"relation": "self", "url": f"{stored.base}/Patient/p1/$everything?_type=Patient"}],
        "entry": [{"fullUrl": f"{stored.base}/Patient/p1", "search": {"mode": "match"}, "resource": {
            **P1, "meta": {"versionId": "1", "lastUpdated": "2026-04-01T09:00:05.000Z"}}}]}


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6])
def test_everything_comes_in_pages_whatever_is_written_between(stored: Client, count: int) -> None:
    pages, where = [], f"Patient/p1/$everything?_count={count}"
    while where:
        pages.append(stored.get(where).json())
        stored.send("PUT", "Patient/p1", {**P1, "multipleBirthInteger": len(pages)})
        stored.send("PUT", f"Observation/new{len(pages)}", {**STORED[10], "id": f"new{len(pages)}"})
        links = {one["relation"]: one["url"] for one in pages[-1]["link"]}
        where = links.get("next", "").removeprefix(f"{stored.base}/")
    found = [id_ for page in pages for id_ in told(page)[0].split()]
    assert [one for one in found if not one.startswith("new")] == "p1 e1 q1 o2 o1 r1".split()
    assert len(set(found)) == len(found)
    assert all(len(told(page)[0].split()) <= count for page in pages)
    assert all(page.get("total") is None for page in pages) == (count < 6)


@pytest.mark.parametrize("parameters, matched", [
    ([{"name": "start", "valueDate": "2021"}], "p1 o2 r1"),
    ([{"name": "_type", "valueCode": "Observation"}, {"name": "_count", "valueInteger": 1}], "o2"),
    ([], "p1 e1 q1 o2 o1 r1"),
])
def test_everything_may_be_asked_by_post(stored: Client, parameters: list[dict[str, Any]], matched: str) -> None:
    body = {"resourceType": "Parameters", "parameter": parameters}
    posted = stored.send("POST", "Patient/p1/$everything", body).json()
    assert told(posted)[0] == matched
    self_link = posted["link"][0]["url"].removeprefix(f"{stored.base}/")
    assert stored.get(self_link).json()["entry"] == posted["entry"]


def test_a_page_ends_where_the_answer_would_be_too_large(small: Client) -> None:
    """Each resource has some 3,000 bytes, an answer 5,000."""
    assert small.send("PUT", "Patient/p1", {**P1, "name": [{"text": "x" * 3000}]}).ok
    for id_ in ("o1", "o2"):
        large = {**STORED[10], "id": id_, "code": {"text": "x" * 3000}}
        assert small.send("PUT", f"Observation/{id_}", large).ok
    pages, where = [], "Patient/p1/$everything"
    while where:
        pages.append(small.get(where).json())
        links = {one["relation"]: one["url"] for one in pages[-1]["link"]}
        where = links.get("next", "").removeprefix(f"{small.base}/")
    assert [told(page)[0] for page in pages] == ["p1", "o1", "o2"]


@pytest.mark.parametrize("method, path, body, status, text, code, expression", [
    ("GET", "Patient/none/$everything", None, 404, "There is no Patient/none.", "not-found", None),
    ("GET", "Observation/o1/$everything", None, 404, "$everything is not defined for Observation.", "not-found", None),
    ("GET", "Patient/p1/$nothing", None, 404, "There is nothing at Patient/p1/$nothing.", "not-found", None),
    ("GET", "Patient/p1/$everything?name=x", None, 400, "name is no parameter of $everything here; known are start, "
     "end, _since, _type, _count, _page.", "invalid", "http.name"),
    ("GET", "Encounter/e1/$everything?start=2020", None, 400, "start is no parameter of $everything here; known are "
     "_since, _type, _count, _page.", "invalid", "http.start"),
    ("GET", "Patient/p1/$everything?start=soon", None, 400, "start is 'soon', which is no date such as 2024, "
     "2024-05-01 or 2024-05-01T09:30:00+09:00.", "invalid", "http.start"),
    ("GET", "Patient/p1/$everything?_type=Nonsense", None, 400, "_type: there is no resource type 'Nonsense'.",
     "invalid", "http._type"),
    ("GET", "Patient/p1/$everything?_count=0", None, 400, "_count is '0', which is no count.", "invalid",
     "http._count"),
    ("GET", "Patient/p1/$everything?_page=AAAA", None, 400,
     "_page is not a page of this search. Start again without it.", "invalid", "http._page"),
    ("POST", "Patient/p1/$everything", P1, 400, "What is posted to an operation is a Parameters resource.", "invalid",
     "Parameters"),
    ("POST", "Patient/p1/$everything", {"resourceType": "Parameters", "parameter": [{"name": "start"}]}, 400,
     "start has no single plain value.", "invalid", "Parameters.parameter[0].value"),
    ("POST", "Patient/p1/$everything", {"resourceType": "Parameters", "parameter": [1]}, 400, "A parameter has a name.",
     "invalid", "Parameters.parameter[0].name"),
])
def test_what_cannot_be_answered_is_refused(
    stored: Client, method: str, path: str, body: object, status: int, text: str, code: str, expression: str | None
) -> None:
    answer = stored.send(method, path, body)
    assert (answer.status_code, answer.json()) == (status, operation_outcome([Issue(text, code, expression)]))


def test_of_a_deleted_patient_there_is_nothing(stored: Client) -> None:
    stored.send("DELETE", "Patient/p1")
    assert stored.get("Patient/p1/$everything").status_code == 410


def test_what_runs_is_claimed(fhir: Client) -> None:
    [rest] = fhir.get("metadata").json()["rest"]
    assert {one["type"]: one["operation"] for one in rest["resource"] if "operation" in one} == {
        type_: [{"name": "everything", "definition": f"http://hl7.org/fhir/OperationDefinition/{type_}-everything"}]
        for type_ in ("Encounter", "Patient")}
