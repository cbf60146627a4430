"""FHIR over HTTP, on a real socket: formats, preconditions, errors."""

import pytest

from fhir_server.outcome import Issue, operation_outcome
from fhir_server.store.store import Store
from tests.server import Client, context_for, serving

PATIENT = {"resourceType": "Patient", "id": "p1", "name": [{"family": "山田", "given": ["太郎"]}]}
STORED = {**PATIENT, "meta": {"versionId": "1", "lastUpdated": "2026-04-01T09:00:00.000Z"}}


def outcome(text: str, code: str, expression: str | None = None) -> dict:
    return operation_outcome([Issue(text, code, expression)])


def test_what_is_put_is_read_with_its_version(fhir: Client) -> None:
    put = fhir.send("PUT", "Patient/p1", PATIENT)
    got = fhir.get("Patient/p1")
    assert (put.status_code, put.json(), put.headers["Location"]) == (
        201, STORED, f"{fhir.base}/Patient/p1/_history/1")
    assert (got.status_code, got.json()) == (200, STORED)
    assert {name: got.headers[name] for name in ("ETag", "Last-Modified", "Content-Type")} == {
        "ETag": 'W/"1"', "Last-Modified": "Wed, 01 Apr 2026 09:00:00 GMT",
        "Content-Type": "application/fhir+json; charset=utf-8"}


def test_links_carry_the_address_that_was_set_whatever_host_a_client_names(store: Store) -> None:
    base = "https://fhir.example.jp/fhir"
    with serving(context_for(store, base_url=base)) as client:
        put = client.send("PUT", "Patient/p1", PATIENT)
        found = client.get("Patient", Host="localhost").json()
    assert put.headers["Location"] == f"{base}/Patient/p1/_history/1"
    assert (found["link"][0]["url"], found["entry"][0]["fullUrl"]) == (f"{base}/Patient", f"{base}/Patient/p1")


@pytest.mark.parametrize("number", ["1.00", "0.10", "1e-7", "123456789012345678.90", "-0.0"])
def test_decimals_keep_their_digits(fhir: Client, number: str) -> None:
    body = ('{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},'
            '"valueQuantity":{"value":%s}}' % number)
    fhir.send("PUT", "Observation/o1", body.encode())
    assert f'"value":{number}'.upper().encode() in fhir.get("Observation/o1").content.upper()


@pytest.mark.parametrize("prefer, body", [
    ("return=minimal", None),
    ("return=representation", STORED),
    ("return=OperationOutcome", {"resourceType": "OperationOutcome", "issue": [{
        "severity": "information", "code": "informational", "details": {"text": "The resource was created."},
        "diagnostics": "The resource was created."}]}),
])
def test_prefer_says_what_comes_back(fhir: Client, prefer: str, body: dict | None) -> None:
    answer = fhir.send("PUT", "Patient/p1", PATIENT, Prefer=prefer)
    assert (answer.status_code, answer.json() if answer.content else None) == (201, body)


def test_equal_content_makes_no_new_version(fhir: Client) -> None:
    fhir.send("PUT", "Patient/p1", PATIENT)
    again = fhir.send("PUT", "Patient/p1", dict(reversed(PATIENT.items())))
    assert (again.status_code, again.json()) == (200, STORED)


@pytest.mark.parametrize("if_match, status", [('W/"1"', 200), ('"1"', 200), ('W/"2"', 412), ("W/one", 400)])
def test_if_match_guards_an_update_and_a_delete(fhir: Client, if_match: str, status: int) -> None:
    fhir.send("PUT", "Patient/p1", PATIENT)
    put = fhir.send("PUT", "Patient/p1", {**PATIENT, "active": True}, If_Match=if_match)
    assert put.status_code == status


def test_a_deleted_resource_is_gone_and_can_come_back(fhir: Client) -> None:
    fhir.send("PUT", "Patient/p1", PATIENT)
    deleted = fhir.send("DELETE", "Patient/p1")
    again = fhir.send("DELETE", "Patient/p1")
    gone = fhir.get("Patient/p1")
    back = fhir.send("PUT", "Patient/p1", PATIENT)
    assert (deleted.status_code, deleted.headers["ETag"]) == (204, 'W/"2"')
    assert again.status_code == 204
    assert (gone.status_code, gone.json()) == (410, outcome("Patient/p1 was deleted with version 2.", "deleted"))
    assert (back.status_code, back.headers["ETag"]) == (201, 'W/"3"')
    history = fhir.get("Patient/p1/_history").json()
    assert [(one["request"]["method"], one["response"]["etag"]) for one in history["entry"]] == [
        ("PUT", 'W/"3"'), ("DELETE", 'W/"2"'), ("PUT", 'W/"1"')]


@pytest.mark.parametrize("path", ["Patient", "Patient/p1/_history"])
def test_a_page_ends_where_the_answer_would_be_too_large(small: Client, path: str) -> None:
    """Each resource has some 3,000 bytes, an answer 5,000."""
    for id_, active in (("p1", True), ("p2", True), ("p1", False)):
        large = {"resourceType": "Patient", "id": id_, "active": active, "name": [{"text": "x" * 3000}]}
        assert small.send("PUT", f"Patient/{id_}", large).ok
    pages = [small.get(path).json()]
    while links := [link["url"] for link in pages[-1]["link"] if link["relation"] == "next"]:
        pages.append(small.get(links[0].removeprefix(f"{small.base}/")).json())
    assert [len(page["entry"]) for page in pages] == [1, 1]


def test_history_comes_in_pages(fhir: Client) -> None:
    for active in (True, False, True):
        fhir.send("PUT", "Patient/p1", {**PATIENT, "active": active})
    first = fhir.get("Patient/p1/_history?_count=2").json()
    links = {link["relation"]: link["url"] for link in first["link"]}
    second = fhir.get(links["next"].removeprefix(fhir.base + "/")).json()
    versions = [[entry["resource"]["meta"]["versionId"] for entry in page["entry"]] for page in (first, second)]
    assert (first["total"], versions) == (3, [["3", "2"], ["1"]])
    assert [link["relation"] for link in second["link"]] == ["self"]


@pytest.mark.parametrize("method, path, body, headers, status, text, code, expression", [
    ("GET", "Patient/none", None, {}, 404, "There is no Patient/none.", "not-found", None),
    ("GET", "Patient/none/_history", None, {}, 404, "There is no Patient/none.", "not-found", None),
    ("GET", "Patient/none/_history/1", None, {}, 404, "There is no version 1 of Patient/none.", "not-found", None),
    ("GET", "Nonsense/1", None, {}, 404, "There is no resource type 'Nonsense' in FHIR R4.", "not-found", None),
    ("PUT", "Patient/p1", b"{", {}, 400,
     "This is not well-formed JSON: Input data was truncated.", "invalid", None),
    ("PUT", "Patient/p1", b"[]", {}, 400, "A resource is a JSON object.", "invalid", None),
    ("PUT", "Patient/p1", b"", {}, 400, "The body is empty.", "invalid", None),
    ("PUT", "Patient/p1", b"{}", {"Content_Type": "application/pdf"}, 415,
     "Content-Type is application/pdf; application/fhir+json and application/fhir+xml of FHIR 4.0 in UTF-8 are "
     "understood.", "not-supported", None),
    ("GET", "Patient/p1", None, {"Accept": "application/pdf"}, 406,
     "application/pdf cannot be had; application/fhir+json and application/fhir+xml of FHIR 4.0 can.",
     "not-supported", None),
    ("PUT", "Patient/p2", PATIENT, {}, 400,
     "The id in the URL is p2, in the resource 'p1'.", "invalid", "Patient.id"),
    ("PUT", "Observation/p1", PATIENT, {}, 400,
     "The URL names Observation, the resource is 'Patient'.", "invalid", "Observation.resourceType"),
    ("GET", "Patient/p1/_history?_count=none", None, {}, 400,
     "_count is 'none', which is no count.", "invalid", "http._count"),
])
def test_an_error_names_the_value_and_the_place(
    fhir: Client, method: str, path: str, body: object, headers: dict, status: int, text: str, code: str,
    expression: str | None
) -> None:
    answer = fhir.send(method, path, body, **headers)
    assert (answer.status_code, answer.json()) == (status, outcome(text, code, expression))


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"Host": "127.0.0.1.evil.example"}, {"Origin": "http://evil.example"},
    {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
])
def test_an_open_server_answers_no_stranger(fhir: Client, headers: dict) -> None:
    assert fhir.send("GET", "metadata", **headers).status_code == 403


def test_without_open_everything_but_metadata_asks_for_authorization(closed: Client) -> None:
    paths = ("metadata", "Patient/p1", "Patient", "Patient/p1/_history")
    asked = {path: closed.get(path).status_code for path in paths}
    put = closed.send("PUT", "Patient/p1", PATIENT)
    bundle = closed.send("POST", "", {"resourceType": "Bundle", "type": "batch"})
    assert asked == {"metadata": 200, "Patient/p1": 401, "Patient": 401, "Patient/p1/_history": 401}
    assert (put.status_code, bundle.status_code) == (401, 401)


def test_a_body_over_the_limit_is_refused(small: Client) -> None:
    answer = small.send("PUT", "Patient/p1", {**PATIENT, "name": [{"text": "x" * 20_000}]})
    assert (answer.status_code, answer.json()) == (
        413, outcome("The request is larger than the limit of 10000 bytes.", "too-long"))


def test_a_resource_over_the_limit_is_refused(small: Client) -> None:
    answer = small.send("PUT", "Patient/p1", {**PATIENT, "name": [{"text": "x" * 6_000}]})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (413, "too-long")
    assert small.get("Patient/p1").status_code == 404


def test_a_bundle_with_too_many_entries_is_refused(small: Client) -> None:
    entries = [{"request": {"method": "GET", "url": "Patient/p1"}}] * 4
    answer = small.send("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert (answer.status_code, answer.json()) == (413, operation_outcome(
        [Issue("The Bundle has 4 entries; the limit is 3.", "too-long", "Bundle.entry")]))


@pytest.mark.parametrize("depth", [100, 100_000])
def test_json_nested_too_deeply_is_refused_and_the_server_lives(fhir: Client, depth: int) -> None:
    body = b'{"resourceType":"Patient","id":"p1","extension":' + b"[" * depth + b"]" * depth + b"}"
    assert fhir.send("PUT", "Patient/p1", body).status_code in (400, 422)
    assert fhir.get("metadata").status_code == 200


def test_if_none_match_guards_what_is_there(fhir: Client) -> None:
    first, second = (fhir.send("PUT", "Patient/p1", PATIENT, If_None_Match="*") for _ in range(2))
    assert (first.status_code, second.status_code, second.json()) == (
        201, 412, outcome("If-None-Match is *, but there is version 1.", "conflict"))


@pytest.mark.parametrize("method, path, body, headers, status", [
    ("PUT", "Patient/p1", b'{"resourceType":"Patient","id":"p1","x":1e999999999999999999999}', {}, 400),
    ("PUT", "Patient/p1", b'{"resourceType":"Patient","id":"p1","x":1.' + b"1" * 2000 + b"}", {}, 400),
    ("GET", "Patient/p1/_history/" + "9" * 5000, None, {}, 404),
    ("PUT", "Patient/p1", PATIENT, {"If_Match": ""}, 400),
    ("POST", "Patient/_search", b"name=" + b"%41" * 200_000,
     {"Content_Type": "application/x-www-form-urlencoded"}, 413),
    ("GET", "Patient//p1", None, {}, 404),
    ("TRACE", "Patient/p1", None, {}, 405),
])
def test_what_cannot_be_is_refused_with_an_outcome(
    fhir: Client, method: str, path: str, body: object, headers: dict, status: int
) -> None:
    answer = fhir.send(method, path, body, **headers)
    assert (answer.status_code, answer.json()["resourceType"]) == (status, "OperationOutcome")


def test_nobody_makes_us_read_a_body_who_may_do_nothing(closed: Client) -> None:
    assert closed.send("PUT", "Patient/p1", b"{").status_code == 401
