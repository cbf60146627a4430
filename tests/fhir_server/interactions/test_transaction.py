"""batch and transaction."""

from typing import Any

from tests.server import Client

UUID = "urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9"
PATIENT = {"resourceType": "Patient", "gender": "female"}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "体温"}}


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def entry(method: str, url: str, resource: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    made = {"request": {"method": method, "url": url}, **more}
    return {**made, "resource": resource} if resource else made


def test_a_transaction_links_what_it_creates(fhir: Client) -> None:
    observation = {**OBSERVATION, "subject": {"reference": UUID}}
    answer = fhir.send("POST", "", bundle(
        "transaction", entry("POST", "Observation", observation), entry("POST", "Patient", PATIENT, fullUrl=UUID)))
    assert (answer.status_code, answer.json()) == (200, {
        "resourceType": "Bundle", "type": "transaction-response", "link": [], "entry": [
            {"response": {"status": "201 Created", "location": "Observation/id-1/_history/1", "etag": 'W/"1"',
                          "lastModified": "2026-04-01T09:00:00.000Z"}},
            {"response": {"status": "201 Created", "location": "Patient/id-2/_history/1", "etag": 'W/"1"',
                          "lastModified": "2026-04-01T09:00:01.000Z"}}]})
    assert fhir.get("Observation/id-1").json()["subject"] == {"reference": "Patient/id-2"}


def test_a_transaction_reads_what_it_wrote(fhir: Client) -> None:
    answer = fhir.send("POST", "", bundle(
        "transaction", entry("GET", "Patient/p1"), entry("PUT", "Patient/p1", {**PATIENT, "id": "p1"})))
    first = answer.json()["entry"][0]
    assert (first["response"]["status"], first["resource"]["gender"]) == ("200 OK", "female")


def test_one_bad_entry_leaves_nothing(fhir: Client) -> None:
    bad = {**OBSERVATION, "status": "nonsense"}
    answer = fhir.send("POST", "", bundle(
        "transaction", entry("PUT", "Patient/p1", {**PATIENT, "id": "p1"}), entry("POST", "Observation", bad)))
    [issue] = answer.json()["issue"]
    assert (answer.status_code, issue["expression"]) == (422, ["Bundle.entry[1].resource.status"])
    assert fhir.get("Patient/p1").status_code == 404


def test_a_batch_lets_each_entry_stand_alone(fhir: Client) -> None:
    answer = fhir.send("POST", "", bundle(
        "batch", entry("PUT", "Patient/p1", {**PATIENT, "id": "p1"}), entry("GET", "Patient/none"),
        entry("PUT", "Patient/p2", {**PATIENT, "id": "p3"}), {"nothing": 1}, entry("GET", "Patient/p1")))
    said = [(one["response"]["status"], one["response"].get("outcome", {}).get("issue", [{}])[0].get("expression"))
            for one in answer.json()["entry"]]
    assert said == [("201 Created", None), ("404 Not Found", None),
                    ("400 Bad Request", ["Bundle.entry[2].resource.id"]),
                    ("400 Bad Request", ["Bundle.entry[3].request"]), ("200 OK", None)]


def test_bundles_that_cannot_be_run_are_refused_with_the_place(fhir: Client) -> None:
    patient = {**PATIENT, "id": "p1"}
    rows = [
        (bundle("collection"), 400, "Bundle.type"),
        ({"resourceType": "Bundle", "type": "batch", "entry": {}}, 400, "Bundle.entry"),
        (patient, 400, "Bundle.resourceType"),
        (bundle("transaction", entry("PUT", "Patient/p1", patient), entry("DELETE", "Patient/p1")),
         400, "Bundle.entry[1]"),
        (bundle("transaction", entry("PUT", "Nonsense/p1", patient)), 404, "Bundle.entry[0].request.url"),
        (bundle("transaction", entry("JUMP", "Patient/p1", patient)), 400, "Bundle.entry[0].request.method"),
        (bundle("transaction", entry("PUT", "Patient/p1")), 400, "Bundle.entry[0].resource"),
        (bundle("transaction", entry("POST", "", bundle("batch"))), 400, "Bundle.entry[0].request.url"),
        (bundle("transaction", entry("POST", "Patient", PATIENT, fullUrl=UUID),
                entry("POST", "Patient", PATIENT, fullUrl=UUID)), 400, "Bundle.entry[1].fullUrl"),
        (bundle("transaction", entry("POST", "Observation", {**OBSERVATION, "subject": {"reference": UUID}})),
         400, "Bundle.entry[0].resource.subject.reference"),
        (bundle("transaction", entry("POST", "Patient", PATIENT, fullUrl="Yamada")), 400, "Bundle.entry[0].fullUrl"),
        (bundle("transaction", {"resource": PATIENT, "request": {
            "method": "POST", "url": "Patient", "ifNoneExist": "nonsense=1"}}),
         400, "Bundle.entry[0].request.ifNoneExist.nonsense"),
    ]
    for body, status, place in rows:
        answer = fhir.send("POST", "", body)
        assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (status, [place])


def test_what_a_transaction_cannot_read_is_told_in_its_entry_and_what_it_wrote_stays(fhir: Client) -> None:
    entries = entry("POST", "Patient", PATIENT), entry("GET", "Patient/none")
    answer = fhir.send("POST", "", bundle("transaction", *entries))
    assert (answer.status_code, [one["response"]["status"] for one in answer.json()["entry"]]) == (
        200, ["201 Created", "404 Not Found"])
    assert fhir.get("Patient/id-1").status_code == 200


def test_a_batch_answers_no_more_than_an_answer_can_hold(small: Client) -> None:
    small.send("PUT", "Patient/p1", {**PATIENT, "id": "p1", "name": [{"text": "x" * 4_000}]})
    answer = small.send("POST", "", bundle("batch", *[entry("GET", "Patient/p1")] * 3))
    assert [one["response"]["status"] for one in answer.json()["entry"]] == [
        "200 OK", "200 OK", "413 Request Entity Too Large"]


def test_a_resource_with_too_much_to_search_by_is_named_with_its_entry(fhir: Client) -> None:
    names = [{"given": [f"n{i}" for i in range(6_000)]}]
    answer = fhir.send("POST", "", bundle("transaction", entry("POST", "Patient", {**PATIENT, "name": names})))
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (413, ["Bundle.entry[0].resource"])
