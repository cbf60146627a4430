"""The CapabilityStatement claims what runs, and all of it."""

from urllib.parse import parse_qsl

from fhir_server.definitions.registry import load
from fhir_server.outcome import FHIRError
from fhir_server.search.query import parse
from tests.server import Client

CLAIMS = {"read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type"}


def test_every_resource_type_is_served_with_the_same_interactions(fhir: Client) -> None:
    statement = fhir.get("metadata").json()
    [rest] = statement["rest"]
    assert (statement["fhirVersion"], statement["kind"], len(rest["resource"])) == ("4.0.1", "instance", 146)
    assert {frozenset(one["code"] for one in resource["interaction"]) for resource in rest["resource"]} == {
        frozenset(CLAIMS)}
    assert [one["code"] for one in rest["interaction"]] == ["batch", "transaction", "history-system", "search-system"]
    assert rest["compartment"] == [f"http://hl7.org/fhir/CompartmentDefinition/{name}" for name in (
        "device", "encounter", "patient", "practitioner", "relatedPerson")]
    assert rest["security"]["description"].startswith("No authorization (--open)")


VALUES = {"date": "2026", "number": "1", "quantity": "1", "token": "a", "string": "abc", "uri": "http://a",
          "reference": "Patient/1", "special": "35.6|139.7|1|km"}
TYPES = {one.url: one.type for type in load().resource_types for one in load().search_parameters(type).values()}
COMPONENTS = {one.url: one.components for type in load().resource_types
              for one in load().search_parameters(type).values()}


def value(claim: dict[str, str]) -> str:
    """What to ask of a parameter that is claimed; of a composite a value for each component."""
    if claim["type"] != "composite":
        return VALUES[claim["type"]]
    return "$".join(VALUES[TYPES[url]] for url, _ in COMPONENTS[claim["definition"]])


def test_every_search_parameter_that_is_claimed_runs(fhir: Client) -> None:
    [rest] = fhir.get("metadata").json()["rest"]
    claims = [(resource["type"], one) for resource in rest["resource"] for one in resource["searchParam"]]
    # One request a type: all its parameters in a batch.
    refused = []
    for resource in rest["resource"]:
        asked = [f"{resource['type']}?{one['name']}={value(one)}" for one in resource["searchParam"]]
        batch = {"resourceType": "Bundle", "type": "batch",
                 "entry": [{"request": {"method": "GET", "url": url}} for url in asked]}
        answers = fhir.send("POST", "", batch).json()["entry"]
        answered = zip(asked, answers, strict=True)
        refused += [(url, one) for url, one in answered if one["response"]["status"] != "200 OK"]
    assert refused == []
    assert len(claims) > 1400


def test_a_parameter_that_is_not_claimed_is_refused_by_name_unless_lenient(fhir: Client) -> None:
    strict = fhir.get("Patient?colour=blue")
    lenient = fhir.get("Patient?colour=blue&gender=male", Prefer="handling=lenient")
    [told] = lenient.json()["entry"]
    assert (strict.status_code, strict.json()["issue"][0]["expression"]) == (400, ["http.colour"])
    assert (lenient.status_code, told["search"]["mode"], told["resource"]["issue"][0]["severity"]) == (
        200, "outcome", "warning")
    assert lenient.json()["link"] == [{"relation": "self", "url": f"{fhir.base}/Patient?gender=male"}]


def test_every_interaction_that_is_claimed_runs(fhir: Client) -> None:
    basic = {"resourceType": "Basic", "id": "b1", "code": {"text": "x"}}
    runs = {
        "update": fhir.send("PUT", "Basic/b1", basic), "read": fhir.get("Basic/b1"),
        "vread": fhir.get("Basic/b1/_history/1"), "history-instance": fhir.get("Basic/b1/_history"),
        "history-type": fhir.get("Basic/_history"), "history-system": fhir.get("_history"),
        "search-type": fhir.get("Basic"), "search-system": fhir.get("?_type=Basic"),
        "create": fhir.send("POST", "Basic", basic),
        "patch": fhir.send("PATCH", "Basic/b1", [{"op": "replace", "path": "/code/text", "value": "y"}],
                           Content_Type="application/json-patch+json"),
        "delete": fhir.send("DELETE", "Basic/b1"),
        **{kind: fhir.send("POST", "", {"resourceType": "Bundle", "type": kind}) for kind in ("batch", "transaction")},
    }
    [rest] = fhir.get("metadata").json()["rest"]
    claimed = [one["code"] for one in (*rest["resource"][0]["interaction"], *rest["interaction"])]
    assert {code: runs[code].status_code for code in claimed} == {
        "update": 201, "read": 200, "vread": 200, "history-instance": 200, "history-type": 200, "history-system": 200,
        "search-type": 200, "search-system": 200, "create": 201, "patch": 200, "delete": 204, "batch": 200,
        "transaction": 200}


def test_what_every_search_is_claimed_to_understand_runs(fhir: Client) -> None:
    asked = {"_filter": "_id eq a", "_has:Observation:patient:code": "a", "_list": "a"}
    [rest] = fhir.get("metadata").json()["rest"]
    assert {one["name"] for one in rest["searchParam"]} == {name.partition(":")[0] for name in asked}
    assert {name: fhir.get(f"Patient?{name}={value}").status_code for name, value in asked.items()} == dict.fromkeys(
        asked, 200)


def test_every_include_that_is_claimed_runs_and_all_others_are_refused(fhir: Client) -> None:
    [rest] = fhir.get("metadata").json()["rest"]
    claims = {one["type"]: (one["searchInclude"], one["searchRevInclude"]) for one in rest["resource"]}
    assert claims["Flag"][0] == ["*", "Flag:author", "Flag:encounter", "Flag:patient", "Flag:subject"]
    assert {"Flag:patient", "Observation:performer", "Provenance:target"} <= set(claims["Patient"][1])
    assert "Flag:encounter" not in claims["Patient"][1]
    refused = []
    for type, (includes, reverse) in claims.items():
        asked = [f"{type}?_include={one}" for one in includes] + [f"{type}?_revinclude={one}" for one in reverse]
        refused += [url for url in asked if not is_read(url)]
    assert refused == []
    assert not is_read("Patient?_revinclude=Flag:encounter") and not is_read("Flag?_include=Flag:code")


def is_read(url: str) -> bool:
    type, _, query = url.partition("?")
    try:
        return bool(parse(type, parse_qsl(query), load()))
    except FHIRError:
        return False
