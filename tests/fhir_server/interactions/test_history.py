"""history of one resource, of a type and of all, over HTTP; each write is one second after the one before."""

from typing import Any

import pytest

from fhir_server.outcome import Issue, operation_outcome
from tests.server import Client

P1 = {"resourceType": "Patient", "id": "p1"}
P2 = {"resourceType": "Patient", "id": "p2", "active": True}
O1 = {"resourceType": "Observation", "id": "o1", "status": "final", "code": {"text": "x"}}


def entry(base: str, resource: dict[str, Any], version: int, status: str, second: int) -> dict[str, Any]:
    """The entry of a version written so many seconds after 9:00; status 204 is a delete."""
    time = f"2026-04-01T09:00:{second:02d}.000Z"
    where = f"{resource['resourceType']}/{resource['id']}"
    told = {"fullUrl": f"{base}/{where}", "request": {"method": "DELETE" if status == "204" else "PUT", "url": where},
            "response": {"status": status, "etag": f'W/"{version}"', "lastModified": time}}
    stored = {**resource, "meta": {"versionId": str(version), "lastUpdated": time}}
    return told if status == "204" else {**told, "resource": stored}


@pytest.fixture
def written(fhir: Client) -> Client:
    """p1 at 0 s, o1 at 1 s, p2 at 2 s, p1 again at 3 s, p1 deleted at 4 s."""
    for resource in (P1, O1, P2, {**P1, "active": False}):
        assert fhir.send("PUT", f"{resource['resourceType']}/{resource['id']}", resource).ok
    assert fhir.send("DELETE", "Patient/p1").ok
    return fhir


def entries(base: str) -> dict[str, dict[str, Any]]:
    return {
        "p1/3": entry(base, P1, 3, "204", 4), "p1/2": entry(base, {**P1, "active": False}, 2, "200", 3),
        "p2/1": entry(base, P2, 1, "201", 2), "o1/1": entry(base, O1, 1, "201", 1),
        "p1/1": entry(base, P1, 1, "201", 0)}


@pytest.mark.parametrize("path, total, told", [
    ("_history", 5, "p1/3 p1/2 p2/1 o1/1 p1/1"),
    ("Patient/_history", 4, "p1/3 p1/2 p2/1 p1/1"),
    ("Patient/p1/_history", 3, "p1/3 p1/2 p1/1"),
    ("Account/_history", 0, ""),
    ("_history?_since=2026-04-01T09:00:02Z", 3, "p1/3 p1/2 p2/1"),
    ("Patient/p1/_history?_since=2026-04-01T18:00:03%2B09:00", 2, "p1/3 p1/2"),
    ("Patient/p1/_history?_since=2026-04-02T00:00:00Z", 0, ""),
    ("Patient/_history?_at=2026-04-01T09:00:02Z", 2, "p2/1 p1/1"),
    ("Patient/_history?_at=2026-04-01T09:00:03.500Z", 2, "p1/2 p2/1"),
    ("Patient/p1/_history?_at=2026-04-01T09:00:03Z", 1, "p1/2"),
    ("_history?_at=2026-04-01T09:00:04Z", 3, "p1/3 p2/1 o1/1"),
    ("_history?_at=2026-04", 5, "p1/3 p1/2 p2/1 o1/1 p1/1"),
    ("_history?_at=2026-03", 0, ""),
    ("_history?_at=2026-04-01&_since=2026-04-01T09:00:03Z", 2, "p1/3 p1/2"),
])
def test_a_history_tells_every_version_newest_first(written: Client, path: str, total: int, told: str) -> None:
    known = entries(written.base)
    expected = {"resourceType": "Bundle", "type": "history", "total": total,
                "link": [{"relation": "self", "url": f"{written.base}/{path}"}]}
    shown = [known[one] for one in told.split()]
    assert written.get(path).json() == ({**expected, "entry": shown} if shown else expected)


@pytest.mark.parametrize("path, totals, told", [
    ("_history?_count=2", [None] * 3, "p1/3 p1/2 p2/1 o1/1 p1/1"),
    ("Patient/_history?_count=3", [None] * 2, "p1/3 p1/2 p2/1 p1/1"),
    ("Patient/p1/_history?_count=1", [3, None, None], "p1/3 p1/2 p1/1"),
    ("Patient/p1/_history?_count=2&_since=2026-04-01", [None] * 2, "p1/3 p1/2 p1/1"),
    ("_history?_at=2026-04-01T09:00:04Z&_count=2", [None] * 2, "p1/3 p2/1 o1/1"),
])
def test_a_history_comes_in_pages_and_goes_on_where_it_ended_whatever_is_written(
    written: Client, path: str, totals: list[int | None], told: str
) -> None:
    pages, where = [], path
    while where:
        pages.append(written.get(where).json())
        written.send("PUT", "Patient/p2", {**P2, "multipleBirthInteger": len(pages)})
        links = {one["relation"]: one["url"] for one in pages[-1]["link"]}
        assert links["self"] == f"{written.base}/{where}"
        where = links.get("next", "").removeprefix(f"{written.base}/")
    known = entries(written.base)
    assert [one for page in pages for one in page["entry"]] == [known[one] for one in told.split()]
    assert [page.get("total") for page in pages] == totals


@pytest.mark.parametrize("path, status, text, code, expression", [
    ("Patient/none/_history", 404, "There is no Patient/none.", "not-found", None),
    ("Patient/none/_history?_since=2026", 404, "There is no Patient/none.", "not-found", None),
    ("_history?_count=0", 400, "_count is '0', which is no count.", "invalid", "http._count"),
    ("_history?_count=-1", 400, "_count is '-1', which is no count.", "invalid", "http._count"),
    ("_history?_since=yesterday", 400, "_since is 'yesterday', which is no date such as 2024, 2024-05-01 or "
     "2024-05-01T09:30:00+09:00.", "invalid", "http._since"),
    ("_history?_at=ge2024", 400, "_at is 'ge2024', which is no date such as 2024, 2024-05-01 or "
     "2024-05-01T09:30:00+09:00.", "invalid", "http._at"),
    ("_history?_at=2024&_at=2025", 400, "_at is given more than once.", "invalid", "http._at"),
    ("_history?name=x", 400, "name is no parameter of history here; known are _count, _since, _at, _page.", "invalid",
     "http.name"),
    ("_history?_page=AAAA", 400, "_page is not a page of this search. Start again without it.", "invalid",
     "http._page"),
])
def test_what_cannot_be_told_is_refused(
    fhir: Client, path: str, status: int, text: str, code: str, expression: str | None
) -> None:
    answer = fhir.get(path)
    assert (answer.status_code, answer.json()) == (status, operation_outcome([Issue(text, code, expression)]))


def test_a_page_is_good_for_its_own_history_alone(written: Client) -> None:
    first = written.get("Patient/_history?_count=1").json()
    token = first["link"][1]["url"].partition("_page=")[2]
    refused = [written.get(f"{path}_page={token}").status_code for path in (
        "_history?", "Observation/_history?", "Patient/p1/_history?", "Patient/_history?_since=2026&", "Patient?")]
    assert refused == [400] * 5
    assert written.get(f"Patient/_history?_count=5&_page={token}").ok
