"""Transactions whose entries need to know what is stored, or what the others do."""

import resource as process
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.fhir_server.interactions.test_transaction import OBSERVATION, PATIENT, UUID, bundle, entry
from tests.server import Client

CARD = "http://x.example/card"
OID = "urn:oid:1.2.392.1"


def patient(number: str, **more: Any) -> dict[str, Any]:
    return {**PATIENT, "identifier": [{"system": CARD, "value": number}], **more}


def of(reference: str) -> dict[str, Any]:
    return {**OBSERVATION, "subject": {"reference": reference}}


def unless(number: str, **more: Any) -> dict[str, Any]:
    """A POST of the Patient with that card number, if there is none."""
    request = {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier={CARD}|{number}"}
    return {"request": request, "resource": patient(number), **more}


@pytest.fixture
def known(fhir: Client) -> Client:
    """A server that knows p1 (card 1), and p2 and p3 (both card 2)."""
    for id_, number in (("p1", "1"), ("p2", "2"), ("p3", "2")):
        fhir.send("PUT", f"Patient/{id_}", patient(number, id=id_))
    return fhir


def statuses(answer: Any) -> list[str]:
    return [one["response"]["status"][:3] for one in answer.json()["entry"]]


def refused(answer: Any) -> tuple[int, str, list[str]]:
    issue = answer.json()["issue"][0]
    return answer.status_code, issue["details"]["text"], issue["expression"]


def test_a_conditional_create_of_what_is_there_leads_links_to_it(known: Client) -> None:
    answer = known.send("POST", "", bundle(
        "transaction", entry("POST", "Observation", of(UUID)), unless("1", fullUrl=UUID), unless("1"), unless("9")))
    assert statuses(answer) == ["201", "200", "200", "201"]
    assert answer.json()["entry"][1] == {"response": {
        "status": "200 OK", "location": "Patient/p1/_history/1", "etag": 'W/"1"',
        "lastModified": "2026-04-01T09:00:00.000Z"}}
    id_ = answer.json()["entry"][0]["response"]["location"].split("/")[1]
    assert known.get(f"Observation/{id_}").json()["subject"] == {"reference": "Patient/p1"}


def test_conditional_update_and_delete_run_in_a_transaction(known: Client) -> None:
    answer = known.send("POST", "", bundle(
        "transaction",
        entry("PUT", f"Patient?identifier={CARD}|1", patient("1", active=True), fullUrl=UUID),
        entry("POST", "Observation", of(UUID)), entry("DELETE", "Observation?code:text=none"),
        entry("PUT", f"Patient?identifier={CARD}|9", patient("9", id="mine"))))
    assert statuses(answer) == ["200", "201", "204", "201"]
    assert known.ids("Observation?subject=Patient/p1") and known.get("Patient/mine").status_code == 200
    assert known.get("Patient/p1").json()["active"] is True


@pytest.mark.parametrize("reference, others, meant", [
    (f"Patient?identifier={CARD}|1", (), "p1"),
    (f"http://127.0.0.1/fhir/Patient?identifier={CARD}|1", (), ""),
    (f"Patient?identifier={CARD}|9", (entry("PUT", "Patient/new", patient("9", id="new")),), "new"),
    (f"Patient?identifier={CARD}|2", (entry("DELETE", "Patient/p3"),), "p2"),
    (f"Patient?identifier={CARD}|2", (entry("PUT", "Patient/p3", patient("3", id="p3")),), "p2"),
    (f"Patient?identifier={CARD}|1", (entry("PUT", "Patient/p1", patient("1", id="p1", active=True)),), "p1"),
])
def test_a_conditional_reference_means_what_stands_in_the_end(
    known: Client, reference: str, others: tuple[dict[str, Any], ...], meant: str
) -> None:
    answer = known.send("POST", "", bundle("transaction", entry("PUT", "Observation/o1", {
        **of(reference), "id": "o1"}), *others))
    assert answer.status_code == 200
    wanted = f"Patient/{meant}" if meant else reference
    assert known.get("Observation/o1").json()["subject"] == {"reference": wanted}


SUBJECT = "Bundle.entry[0].resource.subject.reference"


@pytest.mark.parametrize("reference, others, status, text", [
    (f"Patient?identifier={CARD}|9", (), 412,
     f"The conditional reference 'Patient?identifier={CARD}|9' matches nothing."),
    (f"Patient?identifier={CARD}|2", (), 412,
     f"The conditional reference 'Patient?identifier={CARD}|2' matches several resources."),
    (f"Patient?identifier={CARD}|1", (entry("DELETE", "Patient/p1"),), 412,
     f"The conditional reference 'Patient?identifier={CARD}|1' matches nothing."),
    (f"Patient?identifier={CARD}|1", (entry("POST", "Patient", patient("1")),), 412,
     f"The conditional reference 'Patient?identifier={CARD}|1' matches several resources."),
    ("Patient?birthdate=lt2000", (entry("POST", "Patient", patient("8")),), 412,
     "A conditional reference to a Patient, where the transaction writes one, goes by exact values alone."),
    ("Patient?nonsense=1", (), 400, "Patient has no search parameter nonsense here."),
    ("Patient?", (), 412, "Criteria that any Patient meets are none."),
    ("Nonsense?identifier=1", (), 404, "There is no resource type 'Nonsense' in FHIR R4."),
])
def test_a_conditional_reference_that_means_no_single_resource_is_refused_with_its_place(
    known: Client, reference: str, others: tuple[dict[str, Any], ...], status: int, text: str
) -> None:
    answer = known.send("POST", "", bundle("transaction", entry("POST", "Observation", of(reference)), *others))
    assert refused(answer) == (status, text, [SUBJECT])
    assert known.ids("Observation") == []


@pytest.mark.parametrize("entries, place", [
    ((entry("PUT", "Patient/p1", patient("1", id="p1")), entry("DELETE", f"Patient?identifier={CARD}|1")), 1),
    ((entry("PUT", f"Patient?identifier={CARD}|1", patient("1")), entry("DELETE", "Patient/p1")), 1),
    ((entry("PUT", f"Patient?identifier={CARD}|1", patient("1")), entry("PUT", "Patient?_id=p1", patient("1"))), 1),
    ((unless("1"), entry("DELETE", "Patient/p1")), 0),
    ((unless("9"), unless("9")), 1),
    ((unless("9"), entry("PUT", f"Patient?identifier={CARD}|9", patient("9"))), 1),
])
def test_two_entries_about_one_resource_are_refused(
    known: Client, entries: tuple[dict[str, Any], ...], place: int
) -> None:
    other = 1 - place
    assert refused(known.send("POST", "", bundle("transaction", *entries))) == (
        400, f"This entry and Bundle.entry[{other}] are about the same resource.", [f"Bundle.entry[{place}]"])
    assert known.get("Patient/p1").headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("made, status, place", [
    (unless("2"), 412, "Bundle.entry[0].request.ifNoneExist"),
    (entry("PUT", f"Patient?identifier={CARD}|2", patient("2")), 412, "Bundle.entry[0].request.url"),
    (entry("PUT", "Patient?nonsense=1", patient("2")), 400, "Bundle.entry[0].request.url.nonsense"),
    (entry("DELETE", "Patient"), 412, "Bundle.entry[0].request.url"),
    (entry("DELETE", f"Patient?identifier={CARD}|2"), 412, "Bundle.entry[0].request.url"),
    ({"request": {"method": "DELETE", "url": "Patient/p1", "ifMatch": 'W/"2"'}}, 412, "Bundle.entry[0]"),
    ({"request": {"method": "GET", "url": "Patient/p1", "ifModifiedSince": "soon"}}, 400,
     "Bundle.entry[0].request.ifModifiedSince"),
    (entry("PUT", "Patient/p1", patient("1", id="p1"), fullUrl="http://x.example/Patient/p7"), 400,
     "Bundle.entry[0].fullUrl"),
    (entry("PUT", "Patient/p1", patient("1", id="p1"), fullUrl="http://x.example/Patient/p1/_history/1"), 400,
     "Bundle.entry[0].fullUrl"),
])
def test_an_entry_that_cannot_be_run_is_named(known: Client, made: dict[str, Any], status: int, place: str) -> None:
    answer = known.send("POST", "", bundle("transaction", made))
    assert (refused(answer)[0], refused(answer)[2]) == (status, [place])


def test_references_may_go_in_circles_by_uuid_oid_and_address(fhir: Client) -> None:
    address = "http://old.example/fhir/Patient/7"
    answer = fhir.send("POST", "", bundle(
        "transaction",
        entry("POST", "Patient", {**PATIENT, "link": [{"other": {"reference": OID}, "type": "seealso"}]}, fullUrl=UUID),
        entry("POST", "Patient", {**PATIENT, "link": [{"other": {"reference": "Patient/7"}, "type": "seealso"}]},
              fullUrl=OID),
        entry("PUT", "Patient/mine", {**PATIENT, "id": "mine", "link": [
            {"other": {"reference": UUID}, "type": "seealso"}]}, fullUrl="urn:uuid:3"),
        entry("POST", "Patient", {**PATIENT, "link": [{"other": {"reference": address}, "type": "seealso"}]},
              fullUrl=address)))
    ids = [one["response"]["location"].split("/")[1] for one in answer.json()["entry"]]
    linked = [fhir.get(f"Patient/{id_}").json()["link"][0]["other"]["reference"] for id_ in ids]
    # `Patient/7` stands in an entry with a urn, so it is one of this server's own.
    assert linked == [f"Patient/{ids[1]}", "Patient/7", f"Patient/{ids[0]}", f"Patient/{ids[3]}"]


def test_a_link_to_a_version_of_what_is_created_leads_to_its_first(fhir: Client) -> None:
    address = "http://old.example/fhir/Patient/7"
    answer = fhir.send("POST", "", bundle(
        "transaction", entry("POST", "Patient", PATIENT, fullUrl=address),
        entry("POST", "Observation", of(f"{address}/_history/3")),
        entry("POST", "Observation", of("Patient/p9/_history/3"))))
    assert statuses(answer) == ["201", "201", "201"]
    assert [fhir.get(f"Observation/id-{number}").json()["subject"]["reference"] for number in (2, 3)] == [
        "Patient/id-1/_history/1", "Patient/p9/_history/3"]


VERBS = (
    entry("GET", "Patient/p1"), entry("HEAD", "Patient/p2"), entry("GET", f"Patient?identifier={CARD}|9"),
    {"request": {"method": "GET", "url": "Patient/p3", "ifNoneMatch": 'W/"2"'}},
    entry("PUT", "Patient/p3", patient("2", id="p3", active=True)), entry("POST", "Patient", patient("9")),
    entry("PATCH", "Patient/p2", {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
        {"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Patient.gender"}]}]}),
    entry("DELETE", "Patient/p1"))


def test_a_transaction_answers_in_the_order_sent_and_reads_what_it_wrote(known: Client) -> None:
    answer = known.send("POST", "", bundle("transaction", *VERBS))
    assert statuses(answer) == ["410", "200", "200", "304", "200", "201", "200", "204"]
    assert (answer.json()["entry"][1]["response"]["etag"], "resource" in answer.json()["entry"][1]) == ('W/"2"', False)
    assert len(answer.json()["entry"][2]["resource"]["entry"]) == 1


def test_a_batch_runs_entry_after_entry(known: Client) -> None:
    answer = known.send("POST", "", bundle("batch", *VERBS, *VERBS[:3]))
    assert statuses(answer) == ["200", "200", "200", "200", "200", "201", "200", "204", "410", "200", "200"]
    assert "entry" not in answer.json()["entry"][2]["resource"]


@pytest.mark.parametrize("prefer, shown, told", [
    ("return=minimal", None, None), ("return=representation", "Patient", None),
    ("return=OperationOutcome", None, "OperationOutcome"),
])
def test_the_entries_show_what_is_preferred(known: Client, prefer: str, shown: str | None, told: str | None) -> None:
    made = known.send("POST", "", bundle("transaction", unless("1"), unless("9")), Prefer=prefer).json()["entry"]
    assert [one.get("resource", {}).get("resourceType") for one in made] == [shown] * 2
    assert [one["response"].get("outcome", {}).get("resourceType") for one in made] == [told] * 2


def test_of_transactions_that_create_the_same_at_once_one_does(fhir: Client) -> None:
    body = bundle("transaction", unless("1", fullUrl=UUID), unless("2"), entry("POST", "Observation", of(UUID)))
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: statuses(fhir.send("POST", "", body)), range(16)))
    assert Counter(map(tuple, answers)) == {("201", "201", "201"): 1, ("200", "200", "201"): 15}
    [id_] = fhir.ids(f"Patient?identifier={CARD}|1")
    assert len(fhir.ids(f"Observation?subject=Patient/{id_}&_count=100")) == 16


def test_five_thousand_entries_are_one_transaction(known: Client) -> None:
    """Half of them linked by uuid, half by a conditional reference; the answer in the order sent."""
    patients = [entry("POST", "Patient", patient(f"n{number}"), fullUrl=f"urn:uuid:{number}") for number in range(1000)]
    linked = [entry("POST", "Observation", of(
        f"urn:uuid:{number % 1000}" if number % 2 else f"Patient?identifier={CARD}|{'1' if number % 4 else 'n7'}"))
        for number in range(4000)]
    before = process.getrusage(process.RUSAGE_SELF).ru_maxrss
    answer = known.send("POST", "", bundle("transaction", *linked, *patients))
    assert Counter(statuses(answer)) == {"201": 5000}
    assert [one["response"]["location"].split("/")[0] for one in answer.json()["entry"]] == (
        ["Observation"] * 4000 + ["Patient"] * 1000)
    assert known.get("Observation?_total=accurate&_count=0&subject=Patient/p1").json()["total"] == 1000
    # Kilobytes; the client of this test counts too.
    assert process.getrusage(process.RUSAGE_SELF).ru_maxrss - before < 400_000
    assert known.send("POST", "", bundle("transaction", *linked, *patients, *linked[:1])).status_code == 413
