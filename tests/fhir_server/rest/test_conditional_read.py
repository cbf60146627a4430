"""Who has a version already gets no content: https://hl7.org/fhir/R4/http.html#cread"""

import pytest

from tests.server import Client

PATIENT = {"resourceType": "Patient", "id": "p1"}
# The second version is of 09:00:01.
AT = "Wed, 01 Apr 2026 09:00:01 GMT"
BEFORE = "Wed, 01 Apr 2026 09:00:00 GMT"


def two_versions(fhir: Client) -> None:
    for active in (True, False):
        assert fhir.send("PUT", "Patient/p1", {**PATIENT, "active": active}).ok


@pytest.mark.parametrize("path, headers, status", [
    ("Patient/p1", {"If_None_Match": 'W/"2"'}, 304),
    ("Patient/p1", {"If_None_Match": '"2"'}, 304),
    ("Patient/p1", {"If_None_Match": 'W/"1", W/"2"'}, 304),
    ("Patient/p1", {"If_None_Match": "*"}, 304),
    ("Patient/p1", {"If_None_Match": 'W/"1"'}, 200),
    ("Patient/p1", {"If_None_Match": "nonsense"}, 200),
    ("Patient/p1", {"If_Modified_Since": AT}, 304),
    ("Patient/p1", {"If_Modified_Since": BEFORE}, 200),
    ("Patient/p1", {"If_Modified_Since": "yesterday"}, 200),
    # ETags are exact, so they decide.
    ("Patient/p1", {"If_None_Match": 'W/"1"', "If_Modified_Since": AT}, 200),
    ("Patient/p1", {"If_None_Match": 'W/"2"', "If_Modified_Since": BEFORE}, 304),
    ("Patient/p1/_history/1", {"If_None_Match": 'W/"1"'}, 304),
    ("Patient/p1/_history/1", {"If_None_Match": 'W/"2"'}, 200),
    ("Patient/none", {"If_None_Match": "*"}, 404),
])
def test_content_comes_only_to_whom_has_it_not(fhir: Client, path: str, headers: dict, status: int) -> None:
    two_versions(fhir)
    assert fhir.get(path, **headers).status_code == status


def test_not_modified_tells_the_version_and_nothing_else(fhir: Client) -> None:
    two_versions(fhir)
    answer = fhir.get("Patient/p1", If_None_Match='W/"2"')
    assert (answer.content, answer.headers["ETag"]) == (b"", 'W/"2"')


@pytest.mark.parametrize("condition, status", [
    ({"ifNoneMatch": 'W/"2"'}, "304 Not Modified"), ({"ifNoneMatch": 'W/"1"'}, "200 OK"),
    ({"ifModifiedSince": "2026-04-01T09:00:01.000Z"}, "304 Not Modified"),
    ({"ifModifiedSince": "2026-04-01T18:00:00+09:00"}, "200 OK"),
])
def test_an_entry_is_read_on_the_same_conditions(fhir: Client, condition: dict, status: str) -> None:
    two_versions(fhir)
    request = {"method": "GET", "url": "Patient/p1", **condition}
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [{"request": request}]}
    [entry] = fhir.send("POST", "", batch).json()["entry"]
    assert (entry["response"]["status"], "resource" in entry) == (status, status == "200 OK")


@pytest.mark.parametrize("prefer", ["minimal", "representation", "OperationOutcome"])
def test_a_preference_that_was_met_is_told(fhir: Client, prefer: str) -> None:
    put = fhir.send("PUT", "Patient/p1", PATIENT, Prefer=f"return={prefer}")
    whole = f"{fhir.base}/Patient/p1/_history/1"
    assert (put.headers["Preference-Applied"], put.headers["Location"], put.headers.get("Content-Location")) == (
        f"return={prefer}", whole, whole if prefer == "representation" else None)


def test_a_preference_for_later_is_not_met(fhir: Client) -> None:
    put = fhir.send("PUT", "Patient/p1", PATIENT, Prefer="respond-async")
    assert (put.status_code, "Preference-Applied" in put.headers) == (201, False)
