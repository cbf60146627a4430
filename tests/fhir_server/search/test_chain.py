"""Criteria about linked resources: where they lead, and what leads nowhere."""

import pytest

from fhir_server.definitions.registry import load
from fhir_server.outcome import BadRequest, FHIRError, NotSupported
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.store.plan import Filter, Join, Plan, Range
from tests.fhir_server.search.conftest import Search


def by_id(type: str, *ids: str) -> Plan:
    found: Filter = {"_id": {"$in": list(ids)}}
    return Plan(type, rest=({"$or": [found]},), ranges=(Range(found, "id"),))


@pytest.mark.parametrize("type, name, value, ways", [
    ("Observation", "subject:Patient.gender", "male", [Join("subject", Plan("Patient", keys=(("gender=male",),)))]),
    ("Observation", "patient.gender", "male,other",
     [Join("subject", Plan("Patient", keys=(("gender=male", "gender=other"),)))]),
    ("Observation", "subject.gender", "male", [Join("subject", Plan("Patient", keys=(("gender=male",),)))]),
    ("Observation", "subject.identifier", "x",
     [Join("subject", Plan(type, keys=(("identifier=x",),))) for type in ("Group", "Device", "Patient", "Location")]),
    ("Observation", "patient.organization._id", "o1",
     [Join("subject", Plan("Patient", joins=((Join("organization", by_id("Organization", "o1")),),)))]),
    ("Observation", "patient.gender:not", "male",
     [Join("subject", Plan("Patient", rest=({"$nor": [{"ix": {"$in": ["gender=male"]}}]},)))]),
    ("Patient", "_has:Observation:patient:code", "a,b",
     [Join("subject", Plan("Observation", keys=(("code=a", "code=b"),)), reverse=True)]),
    ("Patient", "_has:Observation:subject:performer:Practitioner.identifier", "x",
     [Join("subject", Plan("Observation", joins=(
         (Join("performer", Plan("Practitioner", keys=(("identifier=x",),))),),)), reverse=True)]),
    ("Patient", "_has:Observation:patient:_has:AuditEvent:entity:agent", "Practitioner/p",
     [Join("subject", Plan("Observation", joins=(
         (Join("entity", Plan("AuditEvent", keys=(("agent=Practitioner/p",),)), reverse=True),),)), reverse=True)]),
    ("Encounter", "patient._has:Group:member:_id", "g1",
     [Join("subject", Plan("Patient", joins=((Join("member", by_id("Group", "g1"), reverse=True),),)))]),
    ("Observation", "_list", "l1,l2", [Join("item", by_id("List", "l1", "l2"), reverse=True)]),
])
def test_a_chain_becomes_a_plan_for_each_way_it_may_take(type: str, name: str, value: str, ways: list[Join]) -> None:
    assert plan(parse(type, [(name, value)], load())) == Plan(type, joins=(tuple(ways),))


def test_what_a_match_is_linked_to_must_be_open_to_the_caller_too() -> None:
    query = parse("Patient", [("_has:Observation:patient:performer:Patient.gender", "male"), ("gender", "x")], load())
    open_to = (("_src=1",), ("_pt=2",))
    performer = Plan("Patient", keys=(*open_to, ("gender=male",)))
    observation = Plan("Observation", keys=open_to, joins=((Join("performer", performer),),))
    assert plan(query, ["_src=1", "_pt=2"]) == Plan(
        "Patient", keys=(*open_to, ("gender=x",)), joins=((Join("subject", observation, reverse=True),),))


@pytest.mark.parametrize("type, name, value, error, text", [
    ("Observation", "colour.name", "x", NotSupported, "Observation has no search parameter colour here."),
    ("Observation", "subject.colour", "x", NotSupported,
     "subject.colour: none of the types it may lead to has such a search parameter."),
    ("Observation", "patient.colour", "x", NotSupported, "Patient has no search parameter colour here."),
    ("Observation", "code.name", "x", BadRequest, "code of Observation is no reference: nothing can be chained to it."),
    ("Observation", "subject:Practitioner.name", "x", BadRequest,
     "subject:Practitioner: subject of Observation does not refer to Practitioner."),
    ("Observation", "patient.birthdate", "x", BadRequest, "birthdate: 'x' is no date such as"),
    ("Observation", "subject.birthdate", "x", BadRequest, "birthdate: 'x' is no date such as"),
    ("Observation", "patient.gender:exact", "x", NotSupported, "gender does not support :exact"),
    ("Observation", "patient.", "x", NotSupported, "Patient has no search parameter"),
    ("Observation", ".", "x", NotSupported, "Observation has no search parameter"),
    ("PlanDefinition", "definition.name", "x", NotSupported, "definition of PlanDefinition holds canonical URLs"),
    ("Patient", "_has:Observation:code", "x", BadRequest, "_has:Observation:code is not written _has:Observation:"),
    ("Patient", "_has:Colour:patient:code", "x", BadRequest, "_has:Colour:patient:code: there is no resource type"),
    ("Patient", "_has:Observation:colour:code", "x", NotSupported, "Observation has no search parameter colour here."),
    ("Patient", "_has:Observation:code:code", "x", BadRequest, "code of Observation is no reference"),
    ("Patient", "_has:Observation:patient:colour", "x", NotSupported, "Observation has no search parameter colour"),
    ("Group", "_has:Observation:patient:code", "x", BadRequest,
     "_has:Observation:patient:code: patient of Observation does not refer to Group."),
    ("Patient", "_list", "$current-problems", NotSupported, "_list: functional lists such as $current-problems are"),
    ("Patient", "_list", ",".join(["x"] * 201), BadRequest, "_list: at most 200 values, this one has 201."),
    ("List", "item.subject.general-practitioner.organization.partof.partof.name", "x", BadRequest,
     "name: a chain has at most 5 links."),
    ("List", "item.item.item.identifier", "x", BadRequest,
     "A search leads to at most 30 searches of other resources. In item.item.item.identifier write the types"),
])
def test_a_chain_that_leads_nowhere_is_refused_by_name(
    type: str, name: str, value: str, error: type[FHIRError], text: str
) -> None:
    with pytest.raises(error) as refused:
        parse(type, [(name, value)], load())
    assert str(refused.value).startswith(text)
    assert refused.value.issues[0].expression == f"http.{name.partition(':')[0]}"


def resource(type: str, id: str, /, **content: object) -> dict[str, object]:
    return {"resourceType": type, "id": id, **content}


def to(reference: str) -> dict[str, str]:
    return {"reference": reference}


def coded(code: str) -> dict[str, object]:
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def observation(id: str, code: str, **content: object) -> dict[str, object]:
    return resource("Observation", id, status="final", code=coded(code), **content)


REGION = [
    resource("Organization", "north", name="北病院"),
    resource("Organization", "ward", name="東病棟", partOf=to("Organization/north")),
    resource("Practitioner", "dr", identifier=[{"value": "77"}], name=[{"family": "佐藤"}]),
    resource("Patient", "taro", name=[{"family": "山田"}], gender="male", managingOrganization=to("Organization/ward"),
             generalPractitioner=[to("Practitioner/dr")]),
    resource("Patient", "hana", name=[{"family": "鈴木"}], gender="female",
             managingOrganization=to("Organization/north")),
    resource("Patient", "anon"),
    resource("Device", "pump", identifier=[{"value": "77"}]),
    observation("o1", "8480-6", subject=to("Patient/taro"), performer=[to("Practitioner/dr")]),
    observation("o2", "8480-6", subject=to("Patient/hana")),
    observation("o3", "718-7", subject=to("Patient/hana"), hasMember=[to("Observation/o2")]),
    observation("o4", "718-7", subject=to("Device/pump")),
    observation("o5", "718-7", subject=to("http://other.example/fhir/Patient/taro")),
    resource("Encounter", "e1", status="finished", subject=to("Patient/taro")),
    resource("Group", "g1", type="person", actual=True, member=[{"entity": to("Patient/taro")}]),
    resource("List", "l1", status="current", mode="working",
             entry=[{"item": to("Observation/o2")}, {"item": to("Patient/hana")}]),
    resource("Provenance", "v1", target=[to("Observation/o3")], agent=[{"who": to("Practitioner/dr")}]),
]


@pytest.mark.parametrize("query, found", [
    ("Observation?subject:Patient.name=山田", {"o1"}),
    ("Observation?patient.family=山", {"o1"}),
    ("Observation?subject.family:exact=鈴木", {"o2", "o3"}),
    ("Observation?subject.identifier=77", {"o4"}),
    ("Observation?subject:Patient.identifier=77", set()),
    ("Observation?patient.gender=male,female", {"o1", "o2", "o3"}),
    ("Observation?patient.gender:missing=true", set()),
    ("Observation?patient.gender:not=male", {"o2", "o3"}),
    ("Observation?patient.gender=female&code=718-7", {"o3"}),
    ("Observation?patient.gender=female&patient.family=山田", set()),
    ("Observation?patient.organization.name=東", {"o1"}),
    ("Observation?patient.organization.partof.name=北", {"o1"}),
    ("Observation?patient._id=hana", {"o2", "o3"}),
    ("Observation?patient.general-practitioner:Practitioner.identifier=77", {"o1"}),
    ("Observation?patient._has:Group:member:_id=g1", {"o1"}),
    ("Observation?_list=l1", {"o2"}),
    ("Observation?_list=l0", set()),
    ("Patient?_list=l1", {"hana"}),
    ("Patient?_has:Observation:patient:code=8480-6", {"taro", "hana"}),
    ("Patient?_has:Observation:patient:code=http://loinc.org|718-7", {"hana"}),
    ("Patient?_has:Observation:subject:code=718-7&gender=male", set()),
    ("Patient?_has:Observation:patient:code=8480-6&_has:Observation:patient:code=718-7", {"hana"}),
    ("Patient?_has:Observation:patient:performer:Practitioner.name=佐藤", {"taro"}),
    ("Patient?_has:Observation:patient:_has:Provenance:target:agent=Practitioner/dr", {"hana"}),
    ("Patient?_has:Encounter:patient:status=finished", {"taro"}),
    ("Device?_has:Observation:subject:code=718-7", {"pump"}),
    ("Practitioner?_has:Patient:general-practitioner:_has:Encounter:subject:status=finished", {"dr"}),
    ("Encounter?patient._has:Observation:patient:code=8480-6", {"e1"}),
    ("Observation?_filter=patient.family eq 山田 or subject.identifier eq 77", {"o1", "o4"}),
    ("Observation?_filter=patient.gender eq female and code eq 718-7", {"o3"}),
])
def test_a_chain_finds_what_is_linked_so(search: Search, query: str, found: set[str]) -> None:
    assert set(search(REGION, query)) == found
