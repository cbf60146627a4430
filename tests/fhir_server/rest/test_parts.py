"""`_summary` and `_elements` over HTTP, wherever resources are shown."""

import pytest

from tests.server import Client

PATIENT = {"resourceType": "Patient", "id": "p1", "active": True, "name": [{"family": "山田"}],
           "maritalStatus": {"text": "x"}, "text": {"status": "generated", "div": "<div>x</div>"}}
SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}


PARTS = pytest.mark.parametrize("asked, members", [
    ("_summary=true", {"id", "active", "name"}), ("_summary=text", {"id", "text"}),
    ("_summary=data", {"id", "active", "name", "maritalStatus"}), ("_elements=name", {"id", "active", "name"}),
])


@PARTS
@pytest.mark.parametrize("path", ["Patient/p1", "Patient/p1/_history/1", "Patient", "Patient/p1/_history"])
def test_a_part_is_shown_wherever_a_resource_is(fhir: Client, path: str, asked: str, members: set[str]) -> None:
    fhir.send("PUT", "Patient/p1", PATIENT)
    body = fhir.get(f"{path}?{asked}").json()
    shown = body["entry"][0]["resource"] if body["resourceType"] == "Bundle" else body
    assert (set(shown), shown["meta"]["tag"]) == ({"resourceType", "meta"} | members, [SUBSETTED])


@PARTS
def test_an_entry_asks_for_a_part_of_its_own(fhir: Client, asked: str, members: set[str]) -> None:
    fhir.send("PUT", "Patient/p1", PATIENT)
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [
        {"request": {"method": "GET", "url": url}} for url in (f"Patient/p1?{asked}", "Patient/p1")]}
    part, whole = (entry["resource"] for entry in fhir.send("POST", "", batch).json()["entry"])
    assert (set(part), set(whole)) == ({"resourceType", "meta"} | members, {*PATIENT, "meta"})


def test_only_the_count_is_told(fhir: Client) -> None:
    fhir.send("PUT", "Patient/p1", PATIENT)
    answer = fhir.get("Patient?active=true&_summary=count").json()
    assert (answer["total"], "entry" in answer) == (1, False)
    assert "_summary=count" in answer["link"][0]["url"]


def test_pages_go_on_showing_what_was_asked_for(fhir: Client) -> None:
    for number in range(3):
        fhir.send("PUT", f"Patient/p{number}", {**PATIENT, "id": f"p{number}"})
    page = fhir.get("Patient?_count=2&_elements=name&_format=json").json()
    following = {link["relation"]: link["url"] for link in page["link"]}["next"]
    last = fhir.get(following.removeprefix(f"{fhir.base}/")).json()
    assert [set(entry["resource"]) for entry in last["entry"]] == [{"resourceType", "id", "meta", "active", "name"}]


def test_what_is_stored_stays_whole(fhir: Client) -> None:
    put = fhir.send("PUT", "Patient/p1?_summary=true", PATIENT)
    assert put.json()["maritalStatus"] == fhir.get("Patient/p1").json()["maritalStatus"] == {"text": "x"}
