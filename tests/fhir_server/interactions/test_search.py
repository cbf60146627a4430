"""Searches over HTTP: what is included, several types at once, totals, links."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from fhir_server.interactions import include
from fhir_server.store.store import Store
from tests.server import START, Client, context_for, serving


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def observation(id: str, **content: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, **content}


REGION: list[dict[str, Any]] = [
    {"resourceType": "Organization", "id": "north"},
    {"resourceType": "Organization", "id": "ward", "partOf": to("Organization/north")},
    {"resourceType": "Practitioner", "id": "dr"},
    {"resourceType": "Patient", "id": "taro", "managingOrganization": to("Organization/ward"), "gender": "male",
     "generalPractitioner": [to("Practitioner/dr")]},
    {"resourceType": "Patient", "id": "hana", "managingOrganization": to("Organization/ward/_history/1")},
    observation("o1", subject=to("Patient/taro"), performer=[to("Practitioner/dr")], effectiveDateTime="2026-01-01"),
    observation("o2", subject=to("Patient/hana"), effectiveDateTime="2026-01-02"),
    observation("o3", subject=to("Patient/gone"), hasMember=[to("Observation/o2"), to("Observation/o1")],
                effectiveDateTime="2026-01-03"),
    observation("o4", subject=to("http://other.example/fhir/Patient/taro"), effectiveDateTime="2026-01-04"),
    {"resourceType": "Provenance", "id": "p1", "target": [to("Observation/o1")],
     "recorded": "2026-01-05T00:00:00Z", "agent": [{"who": to("Practitioner/dr")}]},
]


@pytest.fixture
def region(fhir: Client) -> Client:
    """A server with REGION, each resource stored some seconds after the one before."""
    for one in REGION:
        assert fhir.send("PUT", f"{one['resourceType']}/{one['id']}", one).status_code == 201
    return fhir


def found(client: Client, search: str) -> tuple[list[str], set[str]]:
    """Returns what matches, in order, and what is included."""
    answer = client.get(search)
    assert answer.status_code == 200, answer.text
    entries = [(one["search"]["mode"], f"{one['resource']['resourceType']}/{one['resource']['id']}")
               for one in answer.json().get("entry", []) if one["search"]["mode"] != "outcome"]
    included = [name for mode, name in entries if mode == "include"]
    assert len(included) == len(set(included))
    return [name for mode, name in entries if mode == "match"], set(included)


INCLUDED = [
    ("Observation?_id=o1&_include=Observation:subject", ["o1"], {"Patient/taro"}),
    ("Observation?_id=o1&_include=Observation:patient", ["o1"], {"Patient/taro"}),
    ("Observation?_id=o1&_include=Observation:subject:Group", ["o1"], set()),
    ("Observation?_id=o1&_include=Observation:subject:Patient&_include=Observation:performer", ["o1"],
     {"Patient/taro", "Practitioner/dr"}),
    ("Observation?_id=o1&_include=*", ["o1"], {"Patient/taro", "Practitioner/dr"}),
    ("Observation?_id=o1&_include=Observation:*", ["o1"], {"Patient/taro", "Practitioner/dr"}),
    ("Observation?_id=o3&_include=*", ["o3"], {"Observation/o1", "Observation/o2"}),
    ("Observation?_id=o3,o2&_include=*", ["o3", "o2"], {"Observation/o1", "Patient/hana"}),
    ("Observation?_id=o3&_include:iterate=*", ["o3"],
     {"Observation/o1", "Observation/o2", "Patient/taro", "Patient/hana", "Practitioner/dr", "Organization/ward",
      "Organization/north"}),
    ("Observation?_id=o4&_include=*", ["o4"], set()),
    ("Patient?_id=hana&_include=Patient:organization", ["hana"], {"Organization/ward"}),
    ("Observation?_id=o1&_include=Observation:subject&_include:iterate=Patient:organization", ["o1"],
     {"Patient/taro", "Organization/ward"}),
    ("Observation?_id=o1&_include=Observation:subject&_include:recurse=Patient:organization"
     "&_include:iterate=Organization:partof", ["o1"], {"Patient/taro", "Organization/ward", "Organization/north"}),
    ("Patient?_id=taro&_revinclude=Observation:subject", ["taro"], {"Observation/o1"}),
    ("Patient?_id=taro&_revinclude=Observation:patient:Patient", ["taro"], {"Observation/o1"}),
    ("Patient?_id=taro&_revinclude=Observation:*", ["taro"], {"Observation/o1"}),
    ("Patient?_id=taro&_revinclude=*", ["taro"], {"Observation/o1"}),
    ("Patient?_id=taro&_revinclude=Observation:subject&_revinclude:iterate=Provenance:target", ["taro"],
     {"Observation/o1", "Provenance/p1"}),
    ("Patient?_id=taro&_revinclude:iterate=*", ["taro"], {"Observation/o1", "Observation/o3", "Provenance/p1"}),
    ("Practitioner?_revinclude=Patient:general-practitioner&_revinclude:iterate=Observation:subject"
     "&_include:iterate=Patient:organization", ["dr"], {"Patient/taro", "Observation/o1", "Organization/ward"}),
    ("Observation?_id=o2&_revinclude=Observation:has-member", ["o2"], {"Observation/o3"}),
    ("Organization?_id=north&_revinclude:iterate=Organization:partof&_revinclude:iterate=Patient:organization",
     ["north"], {"Organization/ward", "Patient/taro", "Patient/hana"}),
    ("Observation?_id=none&_include=*&_revinclude=*", [], set()),
    ("Observation?_count=1&_include=Observation:subject", ["o4"], set()),
]


def test_what_is_referred_to_and_what_refers_is_included_once(region: Client) -> None:
    told = [(search, *found(region, search)) for search, _, _ in INCLUDED]
    assert told == [(search, [f"{search.partition('?')[0]}/{one}" for one in matches], included)
                    for search, matches, included in INCLUDED]


@pytest.mark.parametrize("search, text", [
    ("Observation?_include=Colour:subject", "_include: there is no resource type 'Colour'."),
    ("Observation?_include=Observation:colour", "Observation has no search parameter colour here."),
    ("Observation?_include=Observation:code", "_include: code of Observation is no reference."),
    ("Observation?_include=Observation:subject:Organization",
     "_include: subject of Observation does not refer to Organization."),
    ("Observation?_include=Patient:organization",
     "_include: the search finds no Patient; to add to what was added write _include:iterate."),
    ("Observation?_include=Observation:subject:Patient:x",
     "_include: 'Observation:subject:Patient:x' is not written Observation:subject or Observation:subject:Patient."),
    ("Patient?_revinclude=Observation",
     "_revinclude: 'Observation' is not written Observation:subject or Observation:subject:Patient."),
    ("Observation?_include=*:subject", "_include: '*:subject' names no type."),
    ("Observation?_include:all=Observation:subject", "_include does not support :all, only :iterate."),
    ("Patient?_revinclude=Observation:specimen", "_revinclude: specimen of Observation does not refer to Patient."),
])
def test_an_include_that_leads_nowhere_is_refused(fhir: Client, search: str, text: str) -> None:
    answer = fhir.get(search)
    [issue] = answer.json()["issue"]
    word = search.partition("?")[2].partition("=")[0].partition(":")[0]
    assert (answer.status_code, issue["details"]["text"], issue["expression"]) == (400, text, [f"http.{word}"])


def test_what_is_too_much_to_include_is_left_out_and_told(
    region: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(include, "LIMIT", 2)
    bundle = region.get("Observation?_id=o3&_include:iterate=*").json()
    assert [one["search"]["mode"] for one in bundle["entry"]] == ["match", "include", "include", "outcome"]
    [issue] = bundle["entry"][-1]["resource"]["issue"]
    assert (issue["severity"], issue["code"]) == ("warning", "incomplete")


def test_revinclude_of_everything_never_fails(region: Client) -> None:
    for type in ("Patient", "Observation", "Organization", "Practitioner", "Provenance", "Binary", "Parameters"):
        assert region.get(f"{type}?_revinclude=*&_revinclude:iterate=*&_include:iterate=*").status_code == 200


NEWEST = ["Provenance/p1", "Observation/o4", "Observation/o3", "Observation/o2", "Observation/o1", "Patient/hana",
          "Patient/taro", "Practitioner/dr", "Organization/ward", "Organization/north"]


SEVERAL = [
    ("", NEWEST),
    ("?_type=Patient,Organization", [one for one in NEWEST if one.startswith(("Patient", "Org"))]),
    ("?_type=Patient&_type=Organization&_sort=_lastUpdated", ["Organization/north", "Organization/ward",
                                                              "Patient/taro", "Patient/hana"]),
    ("?_type=Patient", ["Patient/hana", "Patient/taro"]),
    ("?_type=Patient,Observation&_id=taro,o3,dr", ["Observation/o3", "Patient/taro"]),
    ("?_id=dr,p1", ["Provenance/p1", "Practitioner/dr"]),
    ("?_lastUpdated=lt2020", []),
    ("?_type=Patient,Practitioner&gender=male", ["Patient/taro"]),
    ("?_type=Observation,Provenance&patient._id=taro", ["Observation/o1"]),
    ("?_type=Observation,Provenance&_filter=_id eq o1 or _id eq p1", ["Provenance/p1", "Observation/o1"]),
]


def test_several_types_come_in_the_order_of_their_last_update(region: Client) -> None:
    assert [(search, found(region, search)[0]) for search, _ in SEVERAL] == SEVERAL


def test_several_types_are_searched_by_post_too(region: Client) -> None:
    answer = region.send("POST", "_search", "_type=Patient", Content_Type="application/x-www-form-urlencoded")
    assert [one["resource"]["id"] for one in answer.json()["entry"]] == ["hana", "taro"]


def test_pages_of_several_types_follow_each_other(region: Client) -> None:
    for sort, matches in [("-_lastUpdated", NEWEST), ("_lastUpdated", NEWEST[::-1])]:
        for count in (1, 3, 9):
            search = f"?_type=Observation,Patient,Organization,Practitioner,Provenance&_sort={sort}&_count={count}"
            assert [one for page in pages(region, search) for one in page] == matches


def pages(client: Client, search: str) -> Iterator[list[str]]:
    while search:
        bundle = client.get(search).json()
        yield [one["fullUrl"].removeprefix(f"{client.base}/") for one in bundle["entry"]]
        links = {one["relation"]: one["url"] for one in bundle["link"]}
        search = links.get("next", "").removeprefix(client.base).removeprefix("/")


def test_pages_go_on_within_one_moment(store: Store) -> None:
    resources: list[dict[str, Any]] = [
        {"resourceType": "Patient"}, {"resourceType": "Group", "type": "person", "actual": True},
        {"resourceType": "Basic", "code": {"text": "x"}}, {"resourceType": "Patient"},
        {"resourceType": "Organization"}, {"resourceType": "Patient"}]
    with serving(replace(context_for(store), now=lambda: START)) as client:
        for one in resources:
            client.send("POST", one["resourceType"], one)
        for sort in ("_lastUpdated", "-_lastUpdated"):
            for count in (1, 2, 4):
                search = f"?_type=Patient,Organization,Group,Basic&_sort={sort}&_count={count}"
                assert sorted(one for page in pages(client, search) for one in page) == [
                    "Basic/id-3", "Group/id-2", "Organization/id-5", "Patient/id-1", "Patient/id-4", "Patient/id-6"]


@pytest.mark.parametrize("search, text, place", [
    ("?_type=Colour", "_type: there is no resource type 'Colour'.", "http._type"),
    ("?_type=Patient,Observation&gender=male", "Observation has no search parameter gender here.", "http.gender"),
    ("?_type=Patient,Observation&_sort=_id", "_sort of several types is by _lastUpdated alone.", "http._sort"),
    ("?gender=x", "Account has no search parameter gender here.", "http.gender"),
    ("?_has:Observation:patient:code=x",
     "_has:Observation:patient:code: patient of Observation does not refer to Account.", "http._has"),
    ("Patient?_type=Patient", "Patient has no search parameter _type here.", "http._type"),
])
def test_a_search_of_several_types_asks_for_what_all_have(fhir: Client, search: str, text: str, place: str) -> None:
    answer = fhir.get(search)
    told = [(one["details"]["text"], one["expression"]) for one in answer.json()["issue"]]
    assert (answer.status_code, told) == (400, [(text, [place])])


def test_a_lenient_search_of_several_types_leaves_out_the_same_for_all(region: Client) -> None:
    bundle = region.get("?_type=Patient,Observation&gender=male&_id=hana,o1", Prefer="handling=lenient").json()
    assert [one["search"]["mode"] for one in bundle["entry"]] == ["match", "match", "outcome"]
    assert bundle["link"] == [
        {"relation": "self", "url": f"{region.base}?_type=Patient,Observation&_id=hana,o1"}]


TOTALS = [
    ("Observation?_count=1", None),
    ("Observation?_count=1&_total=none", None),
    ("Observation?_count=1&_total=accurate", 4),
    ("Observation?_count=1&_total=estimate", 4),
    ("Observation?_count=0", 4),
    ("Observation?_summary=count", 4),
    ("Observation?_summary=count&_count=1", 4),
    ("Observation?subject=Patient/taro&_summary=count", 1),
    ("Observation?patient.gender=male&_summary=count", 1),
    ("Observation", 4),
    ("?_type=Patient,Observation&_count=1", None),
    ("?_type=Patient,Observation&_count=1&_total=accurate", 6),
    ("?_type=Patient,Observation&_count=1&_total=estimate", 6),
    ("?_type=Patient,Observation&_count=0", 6),
    ("?_type=Patient,Observation", 6),
]


def test_a_total_is_told_where_it_is_asked_for_or_costs_nothing(region: Client) -> None:
    bundles = [(search, region.get(search).json()) for search, _ in TOTALS]
    assert [(search, one.get("total")) for search, one in bundles] == TOTALS
    assert [search for search, one in bundles if "entry" not in one] == [
        search for search, _ in TOTALS if "_count=0" in search or "_summary=count" in search]


TOLD = [
    ("Observation", "Observation"),
    ("Observation?_count=5000&status=final", "Observation?_count=1000&status=final"),
    ("Observation?colour=red&status:not=final", "Observation?status:not=final"),
    ("Observation?_include=Observation:subject&_sort=-date,_id",
     "Observation?_include=Observation:subject&_sort=-date,_id"),
    ("Observation?_elements=status&patient.gender=male", "Observation?patient.gender=male&_elements=status"),
    ("Observation?_filter=status eq final", "Observation?_filter=status%20eq%20final"),
]


def test_the_self_link_tells_what_was_really_searched(fhir: Client) -> None:
    bundles = [fhir.get(asked, Prefer="handling=lenient").json() for asked, _ in TOLD]
    assert [one["link"] for one in bundles] == [
        [{"relation": "self", "url": f"{fhir.base}/{told}"}] for _, told in TOLD]
