"""HEAD and OPTIONS, and which pages of other origins see what: https://hl7.org/fhir/R4/security.html#cors"""

import pytest

from fhir_server.store.store import Store
from tests.server import Client, context_for, serving

PATIENT = {"resourceType": "Patient", "id": "p1"}
APP = "https://app.example.jp"


@pytest.mark.parametrize("path", ["Patient/p1", "Patient?_id=p1", "metadata", "Patient/none"])
def test_head_is_get_without_its_body(fhir: Client, path: str) -> None:
    fhir.send("PUT", "Patient/p1", PATIENT)
    head, got = fhir.send("HEAD", path), fhir.get(path)
    told = [{name: value for name, value in one.headers.items() if name != "Date"} for one in (head, got)]
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert told[0] == told[1]


@pytest.mark.parametrize("path, allowed", [
    ("metadata", "GET, HEAD, OPTIONS"), ("Patient/p1/_history/1", "GET, HEAD, OPTIONS"),
    ("Patient/_search", "POST, OPTIONS"),
])
def test_options_tells_what_can_be_done(closed: Client, path: str, allowed: str) -> None:
    answer = closed.send("OPTIONS", path)
    assert (answer.status_code, answer.content, answer.headers["Allow"]) == (204, b"", allowed)


def test_there_are_no_options_where_nothing_is(fhir: Client) -> None:
    assert fhir.send("OPTIONS", "Patient/p1/nowhere/at/all").status_code == 404


def test_a_named_origin_sees_answers_and_their_versions(store: Store) -> None:
    with serving(context_for(store, cors_origins=(APP,))) as client:
        put = client.send("PUT", "Patient/p1", PATIENT, Origin=APP, Sec_Fetch_Site="cross-site")
        refused = client.send("GET", "Patient/none", Origin=APP)
    assert (put.status_code, refused.status_code) == (201, 404)
    assert {one.headers["Access-Control-Allow-Origin"] for one in (put, refused)} == {APP}
    assert put.headers["Access-Control-Expose-Headers"] == (
        "Allow, Content-Location, ETag, Last-Modified, Location, Preference-Applied")
    assert put.headers["Vary"] == "Accept, Accept-Encoding, Origin"


def test_a_named_origin_may_ask_before_it_sends(store: Store) -> None:
    with serving(context_for(store, cors_origins=(APP,), open=False)) as client:
        asked = client.send("OPTIONS", "Patient/p1/_history", Origin=APP, Access_Control_Request_Method="GET")
    told = {name: value for name, value in asked.headers.items() if name.startswith("Access-Control")}
    assert (asked.status_code, told) == (204, {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Expose-Headers": "Allow, Content-Location, ETag, Last-Modified, Location, Preference-Applied",
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, If-Match, If-Modified-Since, "
                                        "If-None-Exist, If-None-Match, Prefer, X-Requested-With",
        "Access-Control-Max-Age": "600"})


@pytest.mark.parametrize("origin", ["https://evil.example", f"{APP}.evil.example", "http://app.example.jp", "null"])
def test_no_other_origin_sees_anything(store: Store, origin: str) -> None:
    with serving(context_for(store, cors_origins=(APP,))) as client:
        opened = client.get("metadata", Origin=origin)
    with serving(context_for(store, cors_origins=(APP,), open=False)) as client:
        closed = client.get("metadata", Origin=origin)
    assert (opened.status_code, closed.status_code) == (403, 200)
    assert not [name for one in (opened, closed) for name in one.headers if name.startswith("Access-Control")]


def test_a_named_origin_is_no_host(store: Store) -> None:
    with serving(context_for(store, cors_origins=(APP,))) as client:
        assert client.get("metadata", Origin=APP, Host="app.example.jp").status_code == 403
