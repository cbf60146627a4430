"""Conditional create, update, patch and delete."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fhir_server.store.store import Store
from tests.server import Client, context_for, serving

BY_NUMBER = "identifier=http://x.example/card|1"


def patient(number: str = "1", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": "http://x.example/card", "value": number}], **more}


@pytest.fixture
def known(fhir: Client) -> Client:
    """A server that knows p1 (card 1, female), p2 and p3 (card 2, both male)."""
    for id_, number, gender in (("p1", "1", "female"), ("p2", "2", "male"), ("p3", "2", "male")):
        fhir.send("PUT", f"Patient/{id_}", patient(number, id=id_, gender=gender))
    return fhir


@pytest.fixture
def several(store: Store) -> Iterator[Client]:
    """A server that deletes up to two resources at once."""
    with serving(context_for(store, conditional_delete_limit=2)) as client:
        yield client


def said(answer: Any) -> tuple[int, list[str]]:
    """The status, and where the issues are."""
    issues = answer.json().get("issue", []) if answer.content else []
    return answer.status_code, [place for one in issues for place in one.get("expression", [])]


@pytest.mark.parametrize("criteria, status, id_", [
    ("identifier=http://x.example/card|9", 201, "id-1"),
    ("identifier=http://x.example/card|1", 200, "p1"),
    ("?identifier=http://x.example/card|1&gender=female", 200, "p1"),
    ("identifier=http%3A%2F%2Fx.example%2Fcard%7C1", 200, "p1"),
    ("identifier=http://x.example/card|1&gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", 200, "p1"),
])
def test_a_conditional_create_makes_only_what_is_not_there(
    known: Client, criteria: str, status: int, id_: str
) -> None:
    answer = known.send("POST", "Patient", patient("9"), If_None_Exist=criteria)
    assert (answer.status_code, answer.json()["id"], answer.headers["ETag"]) == (status, id_, 'W/"1"')


@pytest.mark.parametrize("criteria, status, place", [
    ("identifier=http://x.example/card|2", 412, []),
    ("nonsense=1", 400, ["http.nonsense"]),
    ("gender=female&nonsense=1", 400, ["http.nonsense"]),
    ("gender:contains=x", 400, ["http.gender"]),
    ("_count=1", 400, ["http._count"]),
    ("_sort=_id&gender=male", 400, ["http._sort"]),
    ("identifier=", 400, ["http.identifier"]),
    ("?", 412, []),
])
def test_criteria_that_decide_nothing_are_refused(known: Client, criteria: str, status: int, place: list[str]) -> None:
    assert said(known.send("POST", "Patient", patient(), If_None_Exist=criteria, Prefer="handling=lenient")) == (
        status, place)
    if not criteria.startswith("?"):
        assert said(known.send("PUT", f"Patient?{criteria}", patient())) == (status, place)
        assert said(known.send("DELETE", f"Patient?{criteria}")) == (status, place)


@pytest.mark.parametrize("criteria, sent, status, id_, version", [
    (BY_NUMBER, patient(gender="male"), 200, "p1", "2"),
    (BY_NUMBER, patient(id="p1", gender="male"), 200, "p1", "2"),
    (BY_NUMBER, patient(gender="female"), 200, "p1", "1"),
    ("identifier=http://x.example/card|9", patient("9"), 201, "id-1", "1"),
    ("identifier=http://x.example/card|9", patient("9", id="mine"), 201, "mine", "1"),
])
def test_a_conditional_update_writes_the_one_that_matches(
    known: Client, criteria: str, sent: dict[str, Any], status: int, id_: str, version: str
) -> None:
    answer = known.send("PUT", f"Patient?{criteria}", sent)
    stored = answer.json()
    assert (answer.status_code, stored["id"], stored["meta"]["versionId"]) == (status, id_, version)


@pytest.mark.parametrize("criteria, sent, headers, status, place", [
    (BY_NUMBER, patient(id="p2"), {}, 400, ["Patient.id"]),
    ("identifier=http://x.example/card|9", patient("9", id="p1"), {}, 409, []),
    ("identifier=http://x.example/card|2", patient("2"), {}, 412, []),
    (BY_NUMBER, patient(), {"If_Match": 'W/"2"'}, 412, []),
    ("identifier=http://x.example/card|9", patient("9"), {"If_Match": 'W/"1"'}, 412, []),
    ("", patient(), {}, 412, []),
])
def test_a_conditional_update_that_means_no_single_resource_is_refused(
    known: Client, criteria: str, sent: dict[str, Any], headers: dict[str, str], status: int, place: list[str]
) -> None:
    assert said(known.send("PUT", f"Patient?{criteria}", sent, **headers)) == (status, place)
    assert known.get("Patient/p1").json()["meta"]["versionId"] == "1"


def test_a_conditional_delete_deletes_one_and_refuses_several(known: Client) -> None:
    assert said(known.send("DELETE", f"Patient?{BY_NUMBER}")) == (204, [])
    assert said(known.send("DELETE", f"Patient?{BY_NUMBER}")) == (204, [])
    assert said(known.send("DELETE", "Patient?gender=male")) == (412, [])
    assert known.get("Patient/p1").status_code == 410
    assert known.ids("Patient?_sort=_id") == ["p2", "p3"]


def test_a_conditional_delete_deletes_as_many_as_the_setting_allows(several: Client) -> None:
    for number in ("1", "2", "3"):
        several.send("PUT", f"Patient/p{number}", patient(number, id=f"p{number}", active=number != "3"))
    assert said(several.send("DELETE", "Patient?identifier=http://x.example/card|")) == (412, [])
    assert said(several.send("DELETE", "Patient?active=true")) == (204, [])
    assert several.ids("Patient") == ["p3"]


def test_a_conditional_patch_patches_the_one_that_matches(known: Client) -> None:
    json_patch = [{"op": "replace", "path": "/gender", "value": "other"}]
    kind = {"Content_Type": "application/json-patch+json"}
    answer = known.send("PATCH", f"Patient?{BY_NUMBER}", json_patch, **kind)
    assert (answer.status_code, answer.json()["id"], answer.json()["gender"]) == (200, "p1", "other")
    assert said(known.send("PATCH", "Patient?gender=unknown", json_patch, **kind)) == (404, [])
    assert said(known.send("PATCH", "Patient?gender=male", json_patch, **kind)) == (412, [])


@pytest.mark.parametrize("prefer, body", [
    ("return=minimal", None), ("return=representation", "Patient"), ("return=OperationOutcome", "OperationOutcome"),
])
def test_the_answer_shows_what_is_preferred(known: Client, prefer: str, body: str | None) -> None:
    for answer in (known.send("POST", "Patient", patient(), If_None_Exist=BY_NUMBER, Prefer=prefer),
                   known.send("PUT", f"Patient?{BY_NUMBER}", patient(gender="other"), Prefer=prefer)):
        assert (answer.json()["resourceType"] if answer.content else None) == body
        assert (answer.status_code, bool(answer.headers["ETag"])) == (200, True)


def test_of_64_clients_that_create_the_same_at_once_one_does(fhir: Client) -> None:
    """Five rounds; the clients of a round share the criteria, each sends a resource of its own."""
    for turn in range(5):
        criteria = f"identifier=http://x.example/card|{turn}"

        def create(client: int) -> tuple[int, str]:
            sent = patient(str(turn), name=[{"text": f"client {client}"}])
            answer = fhir.send("POST", "Patient", sent, If_None_Exist=criteria)
            return answer.status_code, answer.json()["id"]

        with ThreadPoolExecutor(64) as pool:
            answers = list(pool.map(create, range(64)))
        assert Counter(status for status, _ in answers) == {201: 1, 200: 63}
        assert len({id_ for _, id_ in answers}) == 1
        assert len(fhir.ids(f"Patient?{criteria}")) == 1


def test_of_clients_that_update_by_criteria_at_once_one_creates_and_all_are_kept(fhir: Client) -> None:
    def update(client: int) -> int:
        return fhir.send("PUT", f"Patient?{BY_NUMBER}", patient(name=[{"text": f"client {client}"}])).status_code

    with ThreadPoolExecutor(16) as pool:
        assert Counter(pool.map(update, range(16))) == {201: 1, 200: 15}
    [id_] = fhir.ids(f"Patient?{BY_NUMBER}")
    texts = [one["resource"]["name"][0]["text"] for one in fhir.get(f"Patient/{id_}/_history").json()["entry"]]
    assert sorted(texts) == sorted(f"client {client}" for client in range(16))
