"""A package becomes a table of facts: the same package, in whatever order, the same bytes."""

import gzip
from typing import Any

import msgspec

from fhir_server.definitions.compile import facts, packed
from fhir_server.definitions.registry import (
    TABLE, Element, Facts, Invariant, Operation, Parameter, SearchParameter, Structure)

CORE = "http://hl7.org/fhir/StructureDefinition/"
STRING = {
    "code": "http://hl7.org/fhirpath/System.String",
    "extension": [{"url": CORE + "structuredefinition-fhir-type", "valueUrl": "string"}]}


def element(path: str, base: str = "", **facts_of_it: Any) -> dict[str, Any]:
    return {"path": path, "min": 0, "max": "1", "isModifier": False, "base": {"path": base or path}, **facts_of_it}


def definition(type_: str, name: str, **content: Any) -> dict[str, Any]:
    return {"resourceType": type_, "id": name, "url": f"urn:{type_}/{name}", "name": name, "code": name, **content}


PACKAGE = [
    definition(
        "StructureDefinition", "Light", kind="resource", abstract=False, fhirVersion="4.0.1",
        baseDefinition=CORE + "Resource", derivation="specialization",
        snapshot={"element": [
            element("Light", constraint=[
                {"key": "lit-1", "severity": "error", "expression": "on.exists()"},
                {"key": "dom-2", "severity": "error", "expression": "true", "source": CORE + "DomainResource"}]),
            element("Light.id", "Resource.id", type=[STRING], isSummary=True),
            element("Light.state", min=1, type=[{"code": "code"}], isModifier=True,
                    binding={"strength": "required", "valueSet": "urn:vs|1"}),
            element("Light.owner[x]", max="*", type=[
                {"code": "Reference", "targetProfile": [CORE + "Patient", CORE + "Group"]}, {"code": "string"}]),
            element("Light.again", contentReference="#Light.state"),
        ]}),
    definition("StructureDefinition", "Profile", kind="resource", derivation="constraint"),
    definition(
        "StructureDefinition", "mark", kind="primitive-type", abstract=False, fhirVersion="4.0.1",
        snapshot={"element": [element("mark"), element("mark.value", type=[
            {"code": "x", "extension": [{"url": CORE + "regex", "valueString": "[!?]"}]}])]}),
    definition("SearchParameter", "state", type="token", base=["Light"], expression="Light.state"),
    definition("SearchParameter", "example", type="token", base=["Light"], expression="Light.id"),
    definition("SearchParameter", "nowhere", type="token"),
    definition("CompartmentDefinition", "Patient", resource=[
        {"code": "Light", "param": ["owner"]}, {"code": "Group"}]),
    definition("OperationDefinition", "switch", resource=["Light"], system=False, type=False, instance=True,
               affectsState=True, parameter=[{"name": "to", "use": "in", "min": 1, "max": "1", "part": [
                   {"name": "state", "use": "in", "min": 0, "max": "1", "type": "code"}]}]),
    {"resourceType": "ValueSet", "url": "urn:vs", "compose": {"include": [
        {"system": "urn:s", "concept": [{"code": "on"}, {"code": "off"}]}]}},
]
FACTS = Facts(
    version="4.0.1",
    structures={
        "Light": Structure(
            "Light", "resource", "Resource", invariants=(Invariant("lit-1", "error", "on.exists()"),), elements={
                "Light.id": Element("id", types=("id",), plain=True, summary=True),
                "Light.state": Element(
                    "state", min=1, types=("code",), binding="required", value_set="urn:vs", modifier=True),
                "Light.owner[x]": Element(
                    "owner", max="*", types=("Reference", "string"), choice=True, targets=("Group", "Patient")),
                "Light.again": Element("again", content_reference="Light.state"),
            }),
        "mark": Structure("mark", "primitive-type", pattern="[!?]"),
    },
    search_parameters=(SearchParameter("state", "urn:SearchParameter/state", "token", "Light.state", ("Light",)),),
    compartments={"Patient": {"Light": ("owner",)}},
    value_sets={"urn:vs": {"urn:s": ("off", "on")}},
    operations=(Operation(
        "switch", "switch", "urn:OperationDefinition/switch", ("Light",), instance=True, affects_state=True,
        parameters=(Parameter("to", "in", 1, "1", parts=(Parameter("state", "in", 0, "1", "code"),)),)),),
)


def test_a_package_is_compiled_to_its_facts() -> None:
    assert facts(PACKAGE) == FACTS


def test_the_order_of_the_package_does_not_matter() -> None:
    assert packed(facts(PACKAGE[::-1])) == packed(facts(PACKAGE))


def test_the_table_gives_the_facts_back() -> None:
    assert msgspec.json.decode(gzip.decompress(packed(FACTS)), type=Facts) == FACTS


def test_the_table_that_ships_is_what_the_compiler_writes_of_its_facts() -> None:
    shipped = gzip.decompress(TABLE.read_bytes())
    assert gzip.decompress(packed(msgspec.json.decode(shipped, type=Facts))) == shipped
