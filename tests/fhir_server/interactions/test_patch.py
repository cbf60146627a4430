"""patch over HTTP, and in Bundles."""

from base64 import b64encode
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fhir_server.fhirjson import encode
from tests.server import Client

JSON_PATCH, MERGE_PATCH, FHIR = "application/json-patch+json", "application/merge-patch+json", "application/fhir+json"
OBSERVATION = {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "体温"}}
RAISED = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": [
    {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Observation.status"},
    {"name": "value", "valueCode": "amended"}]}]}
XML = """<Parameters xmlns="http://hl7.org/fhir"><parameter><name value="operation"/>
<part><name value="type"/><valueCode value="replace"/></part>
<part><name value="path"/><valueString value="Observation.status"/></part>
<part><name value="value"/><valueCode value="amended"/></part></parameter></Parameters>"""
REPLACE = [{"op": "replace", "path": "/status", "value": "amended"}]


@pytest.fixture
def known(fhir: Client) -> Client:
    fhir.send("PUT", "Observation/o1", b'{"resourceType":"Observation","id":"o1","status":"final","code":{"text":"x"},'
                                       b'"valueQuantity":{"value":36.50}}')
    return fhir


@pytest.mark.parametrize("kind, body", [
    (JSON_PATCH, REPLACE), (MERGE_PATCH, {"status": "amended"}), (FHIR, RAISED),
    ("application/fhir+xml", XML), (JSON_PATCH + "; charset=utf-8", REPLACE),
])
def test_each_kind_of_patch_makes_a_new_version_that_keeps_the_rest(known: Client, kind: str, body: Any) -> None:
    answer = known.send("PATCH", "Observation/o1", body, Content_Type=kind)
    assert (answer.status_code, answer.headers["ETag"]) == (200, 'W/"2"')
    assert b'"status":"amended","code":{"text":"x"},"valueQuantity":{"value":36.50}}' in answer.content
    assert known.get("Observation/o1/_history/1").json()["status"] == "final"
    assert known.send("PATCH", "Observation/o1", body, Content_Type=kind).headers["ETag"] == 'W/"2"'


@pytest.mark.parametrize("path, kind, body, headers, status, place", [
    ("o1", "text/plain", "x", {}, 415, None),
    ("o1", JSON_PATCH, b"[", {}, 400, None),
    ("o1", JSON_PATCH, b"", {}, 400, None),
    ("o1", JSON_PATCH, {"op": "remove"}, {}, 400, None),
    ("none", JSON_PATCH, REPLACE, {}, 404, None),
    ("o1", JSON_PATCH, REPLACE, {"If_Match": 'W/"7"'}, 412, None),
    ("o1", JSON_PATCH, [{"op": "test", "path": "/status", "value": "amended"}], {}, 422, None),
    ("o1", MERGE_PATCH, {"status": "nonsense"}, {}, 422, ["Observation.status"]),
    ("o1", MERGE_PATCH, {"status": None}, {}, 422, ["Observation.status"]),
    ("o1", MERGE_PATCH, {"id": "o2"}, {}, 422, ["Observation.id"]),
    ("o1", MERGE_PATCH, {"resourceType": "Patient"}, {}, 422, ["Observation.id"]),
    ("o1", JSON_PATCH, [{"op": "replace", "path": "", "value": {}}], {}, 422, ["Observation.id"]),
    ("o1", FHIR, OBSERVATION, {}, 400, ["Parameters"]),
    ("o1", FHIR, {**RAISED, "parameter": [{"name": "x"}]}, {}, 400, ["Parameters.parameter[0].name"]),
])
def test_a_patch_that_cannot_be_applied_is_refused_with_the_reason(
    known: Client, path: str, kind: str, body: Any, headers: dict[str, str], status: int, place: list[str] | None
) -> None:
    answer = known.send("PATCH", f"Observation/{path}", body, Content_Type=kind, **headers)
    assert (answer.status_code, answer.json()["issue"][0].get("expression")) == (status, place)
    assert known.get("Observation/o1").headers["ETag"] == 'W/"1"'


def test_what_was_deleted_cannot_be_patched(known: Client) -> None:
    known.send("DELETE", "Observation/o1")
    assert known.send("PATCH", "Observation/o1", REPLACE, Content_Type=JSON_PATCH).status_code == 410


def test_patches_at_once_are_all_applied(known: Client) -> None:
    def patch(number: int) -> int:
        note = [{"op": "add", "path": "/note/-", "value": {"text": str(number)}}]
        return known.send("PATCH", "Observation/o1", note, Content_Type=JSON_PATCH).status_code

    known.send("PATCH", "Observation/o1", {"note": [{"text": "0"}]}, Content_Type=MERGE_PATCH)
    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(patch, range(1, 33))) == {200: 32}
    stored = known.get("Observation/o1").json()
    assert sorted(int(one["text"]) for one in stored["note"]) == list(range(33))
    assert stored["meta"]["versionId"] == "34"


def binary(kind: str, document: Any) -> dict[str, Any]:
    return {"resourceType": "Binary", "contentType": kind, "data": b64encode(encode(document)).decode()}


@pytest.mark.parametrize("type_", ["batch", "transaction"])
@pytest.mark.parametrize("resource", [
    binary(JSON_PATCH, REPLACE), binary(MERGE_PATCH, {"status": "amended"}), RAISED,
])
@pytest.mark.parametrize("url", ["Observation/o1", "Observation?status=final"])
def test_a_bundle_patches(known: Client, type_: str, resource: dict[str, Any], url: str) -> None:
    patch = {"request": {"method": "PATCH", "url": url, "ifMatch": 'W/"1"'}, "resource": resource}
    answer = known.send("POST", "", {"resourceType": "Bundle", "type": type_, "entry": [patch]})
    response = answer.json()["entry"][0]["response"]
    assert (response["status"], response["etag"]) == ("200 OK", 'W/"2"')
    assert known.get("Observation/o1").json()["status"] == "amended"


@pytest.mark.parametrize("resource, status, place", [
    ({"resourceType": "Binary", "contentType": "text/plain", "data": "eA=="}, 415, "resource.contentType"),
    ({"resourceType": "Binary", "contentType": JSON_PATCH, "data": "?"}, 400, "resource.data"),
    ({"resourceType": "Binary", "contentType": JSON_PATCH}, 400, "resource.data"),
    (binary(JSON_PATCH, {}), 400, "resource"),
    (binary(MERGE_PATCH, {"status": "nonsense"}), 422, "resource.status"),
    (OBSERVATION, 400, "resource"),
    (None, 400, "resource"),
])
def test_a_patch_in_a_bundle_that_is_none_is_refused_with_the_place(
    known: Client, resource: dict[str, Any] | None, status: int, place: str
) -> None:
    patch = {"request": {"method": "PATCH", "url": "Observation/o1"}, **({"resource": resource} if resource else {})}
    answer = known.send("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [patch]})
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (status, [f"Bundle.entry[0].{place}"])
