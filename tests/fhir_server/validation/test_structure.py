"""What is refused, and what is said about it: the whole Issue, code, text and place."""

from collections.abc import Callable
from typing import Any

import pytest

from fhir_server import fhirjson
from fhir_server.definitions.registry import load
from fhir_server.outcome import Issue, Unprocessable
from fhir_server.validation.structure import Validator
from tests.r4_examples import WRONG, examples

VALIDATOR = Validator(load())

PATIENT: dict[str, Any] = {"resourceType": "Patient"}
OBSERVATION: dict[str, Any] = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
NULLS = "Values and their extensions are not aligned: each place needs one of the two."


def found(resource: Any) -> list[tuple[str, str, str | None]]:
    try:
        VALIDATOR.check(resource)
    except Unprocessable as refused:
        return [(one.code, one.text, one.expression) for one in refused.issues]
    return []


@pytest.mark.parametrize("name, raw", [one for one in examples() if one[0] not in WRONG])
def test_official_examples_are_valid(name: str, raw: bytes) -> None:
    assert found(fhirjson.decode(raw)) == []


@pytest.mark.parametrize("name", WRONG)
def test_wrong_official_examples_are_refused(name: str) -> None:
    resource = fhirjson.decode(dict(examples())[name])
    assert found(resource)[0] == ("required", "linkId is missing.", "Questionnaire.item[0].item[0].linkId")


@pytest.mark.parametrize("resource", [
    pytest.param({**PATIENT}, id="nothing but its type"),
    pytest.param({**PATIENT, "birthDate": "1970-01", "_birthDate": {"id": "b"}}, id="a value with its companion"),
    pytest.param({**PATIENT, "_birthDate": {"extension": [{"url": "x", "valueCode": "unknown"}]}}, id="no value"),
    pytest.param({**PATIENT, "name": [{"given": ["a", None], "_given": [None, {"id": "g"}]}]}, id="aligned nulls"),
    pytest.param({**PATIENT, "name": [{"_given": [{"id": "g"}]}]}, id="companions without values"),
    pytest.param({**OBSERVATION, "valueString": "a", "_valueString": {"id": "v"}}, id="one form and its companion"),
    pytest.param({k: v for k, v in OBSERVATION.items() if k != "status"} | {"_status": {"id": "s"}},
                 id="a required element told by its companion"),
    pytest.param({**PATIENT, "contained": [{"resourceType": "Organization", "name": "病院"}]}, id="contained"),
])
def test_valid_resources_pass(resource: Any) -> None:
    assert found(resource) == []


@pytest.mark.parametrize("resource, issues", [
    # the resource type
    (None, [("structure", "null is no resource.", None)]),
    ([PATIENT], [("structure", "An array is no resource.", None)]),
    ({}, [("required", "resourceType is missing.", None)]),
    ({"resourceType": "Patience"}, [("structure", '"Patience" is no resource type of FHIR R4.', None)]),
    ({"resourceType": "DomainResource"}, [("structure", '"DomainResource" is no resource type of FHIR R4.', None)]),
    ({"resourceType": ["Patient"]}, [("structure", "An array is no resource type of FHIR R4.", None)]),
    ({**PATIENT, "text": {"status": "generated", "div": ""}}, [("value", '"" is no xhtml.', "Patient.text.`div`")]),
    # unknown elements
    ({**PATIENT, "surname": "x"}, [("structure", 'Patient has no element "surname".', "Patient.surname")]),
    ({**PATIENT, "name": [{"x y": 1}]}, [("structure", 'HumanName has no element "x y".', "Patient.name[0].`x y`")]),
    ({**PATIENT, "link": [{"x": 1, "type": "refer", "other": {"display": "x"}}]},
     [("structure", 'Patient.link has no element "x".', "Patient.link[0].x")]),
    ({**PATIENT, "_id": {"id": "x"}}, [("structure", 'Patient has no element "_id".', "Patient._id")]),
    ({**PATIENT, "name": [{"resourceType": "HumanName", "text": "x"}]},
     [("structure", 'HumanName has no element "resourceType".', "Patient.name[0].resourceType")]),
    # cardinality
    ({"resourceType": "Observation", "code": {"text": "x"}},
     [("required", "status is missing.", "Observation.status")]),
    ({**PATIENT, "link": [{"type": "refer"}]}, [("required", "other is missing.", "Patient.link[0].other")]),
    ({"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {"display": "x"}},
     [("required", "medication[x] is missing.", "MedicationRequest.medication")]),
    ({**PATIENT, "birthDate": ["1970"]}, [("structure", "An array is no date.", "Patient.birthDate")]),
    ({**PATIENT, "name": {"family": "x"}}, [("structure", "An object is no array.", "Patient.name")]),
    ({**PATIENT, "name": []}, [("structure", "An array cannot be empty.", "Patient.name")]),
    ({**PATIENT, "maritalStatus": {}}, [("structure", "An object cannot be empty.", "Patient.maritalStatus")]),
    # choice
    ({**OBSERVATION, "valueString": "a", "valueInteger": 1},
     [("structure", "valueInteger cannot stand beside another form of the same element.", "Observation.value")]),
    ({**OBSERVATION, "valueString": "a", "_valueBoolean": {"id": "x"}},
     [("structure", "_valueBoolean cannot stand beside another form of the same element.", "Observation.value")]),
    ({**PATIENT, "extension": [{"url": "x", "valueId": "a", "valueString": "b"}]},
     [("structure", "valueString cannot stand beside another form of the same element.",
       "Patient.extension[0].value")]),
    ({**OBSERVATION, "value": "a"}, [("structure", 'Observation has no element "value".', "Observation.value")]),
    # types and formats
    ({**PATIENT, "active": "true"}, [("value", '"true" is no boolean.', "Patient.active")]),
    ({**PATIENT, "birthDate": "2024-02-30"}, [("value", '"2024-02-30" is no date.', "Patient.birthDate")]),
    ({**PATIENT, "birthDate": None}, [("value", "null is no date.", "Patient.birthDate")]),
    ({**PATIENT, "id": "a_b"}, [("value", '"a_b" is no id.', "Patient.id")]),
    ({**PATIENT, "multipleBirthInteger": fhirjson.decode(b"2.0")},
     [("value", "2.0 is no integer.", "Patient.multipleBirth")]),
    ({**PATIENT, "multipleBirthInteger": 10**30}, [("value", f"{10**30} is no integer.", "Patient.multipleBirth")]),
    ({**PATIENT, "telecom": [{"rank": 0}]}, [("value", "0 is no positiveInt.", "Patient.telecom[0].rank")]),
    ({**PATIENT, "name": [{"family": ""}]}, [("value", '"" is no string.', "Patient.name[0].family")]),
    ({**PATIENT, "maritalStatus": "M"}, [("structure", '"M" is no CodeableConcept.', "Patient.maritalStatus")]),
    ({**PATIENT, "photo": [{"data": "???"}]}, [("value", '"???" is no base64Binary.', "Patient.photo[0].data")]),
    ({**PATIENT, "meta": {"lastUpdated": "2024-01-01T00:00:00"}},
     [("value", '"2024-01-01T00:00:00" is no instant.', "Patient.meta.lastUpdated")]),
    ({**PATIENT, "text": {"status": "empty", "div": 1}}, [("value", "1 is no xhtml.", "Patient.text.`div`")]),
    ({**PATIENT, "language": "x" * 100 + " "},
     [("value", '"' + "x" * 60 + '…" is no code.', "Patient.language")]),
    # codes
    ({**PATIENT, "gender": "maile"},
     [("code-invalid", '"maile" is no code of administrative-gender.', "Patient.gender")]),
    ({**PATIENT, "gender": "Male"},
     [("code-invalid", '"Male" is no code of administrative-gender.', "Patient.gender")]),
    # companions
    ({**PATIENT, "_birthDate": {}}, [("structure", "An object cannot be empty.", "Patient.birthDate")]),
    ({**PATIENT, "_name": [{"id": "x"}]}, [("structure", 'Patient has no element "_name".', "Patient._name")]),
    ({**PATIENT, "name": [{"given": ["a", None]}]},
     [("value", "null is no string.", "Patient.name[0].given[1]")]),
    ({**PATIENT, "name": [{"given": ["a"], "_given": [{"id": "x"}, None]}]}, [("structure", NULLS, "Patient.name[0]")]),
    ({**PATIENT, "name": [{"given": [None], "_given": [None]}]}, [("structure", NULLS, "Patient.name[0]")]),
    # resources inside
    ({**PATIENT, "contained": [{"resourceType": "Observation", "status": "final", "code": {"txt": "x"}}]},
     [("structure", 'CodeableConcept has no element "txt".', "Patient.contained[0].code.txt")]),
    ({**PATIENT, "contained": [{"id": "x"}]}, [("required", "resourceType is missing.", "Patient.contained[0]")]),
    ({**PATIENT, "contained": [1]}, [("structure", "1 is no resource.", "Patient.contained[0]")]),
    ({"resourceType": "Bundle", "type": "collection", "entry": [
        {"resource": PATIENT}, {"resource": {**PATIENT, "gender": "x"}}]},
     [("code-invalid", '"x" is no code of administrative-gender.', "Bundle.entry[1].resource.gender")]),
    ({"resourceType": "Parameters", "parameter": [{"name": "a", "part": [{"name": "b", "resource": {}}]}]},
     [("required", "resourceType is missing.", "Parameters.parameter[0].part[0].resource")]),
    # several
    ({**PATIENT, "active": 1, "name": [{"use": "x"}], "foo": 1}, [
        ("value", "1 is no boolean.", "Patient.active"),
        ("code-invalid", '"x" is no code of name-use.', "Patient.name[0].use"),
        ("structure", 'Patient has no element "foo".', "Patient.foo")]),
    ({**PATIENT, "name": [{"text": "\ud800"}]},
     [("invalid", "The resource cannot be written as JSON in UTF-8.", None)]),
])
def test_each_fault_is_told_with_its_place(resource: Any, issues: list[tuple[str, str, str | None]]) -> None:
    assert found(resource) == issues


def nested(depth: int) -> dict[str, Any]:
    inner: dict[str, Any] = {"url": "x", "valueString": "a"}
    for _ in range(depth):
        inner = {"url": "x", "extension": [inner]}
    return {**PATIENT, "extension": [inner]}


def test_extensions_may_nest_twenty_times() -> None:
    assert found(nested(20)) == []


@pytest.mark.parametrize("resource, place", [
    (nested(30), "Patient.extension"),
    (nested(1000), "Patient.extension"),
])
def test_content_that_nests_without_end_is_refused(resource: Any, place: str) -> None:
    assert found(resource) == [("structure", "The content is more than 50 levels deep.", place)]


def chain(step: Callable[[Any], Any]) -> Any:
    value: Any = {"id": "x"}
    for _ in range(1000):
        value = step(value)
    return value


@pytest.mark.parametrize("resource", [
    pytest.param(chain(lambda inner: {**PATIENT, "contained": [inner]}), id="contained"),
    pytest.param({**PATIENT, "managingOrganization": chain(lambda inner: {"identifier": {"assigner": inner}})},
                 id="assigner"),
    pytest.param({"resourceType": "Parameters", "parameter": [chain(lambda inner: {"name": "x", "part": [inner]})]},
                 id="part"),
    pytest.param({**PATIENT, "maritalStatus": chain(
        lambda inner: {"extension": [{"url": "x", "valueCodeableConcept": inner}]})}, id="extension of a value"),
    pytest.param({**PATIENT, "_birthDate": chain(
        lambda inner: {"extension": [{"url": "x", "valueDate": "2024", "_valueDate": inner}]})}, id="companion"),
])
def test_depth_is_measured_through_every_kind_of_nesting(resource: Any) -> None:
    assert [text for _, text, _ in found(resource)] == ["The content is more than 50 levels deep."]


def test_no_more_than_twenty_issues_are_told() -> None:
    assert len(found({**PATIENT, **{f"x{i}": 1 for i in range(1000)}})) == 20
    assert len(found({**PATIENT, "name": [{"use": "x"}] * 1000})) == 20


def test_the_one_fault_of_a_long_array_is_found() -> None:
    names = [{"family": "x"}] * 5000
    assert found({**PATIENT, "name": [*names, {"family": 1}]}) == [
        ("value", "1 is no string.", "Patient.name[5000].family")]


def test_a_check_leaves_the_resource_alone() -> None:
    resource = {**OBSERVATION, "valueQuantity": {"value": fhirjson.decode(b"1.00")}}
    before = fhirjson.encode(resource)
    VALIDATOR.check(resource)
    assert fhirjson.encode(resource) == before


def test_the_schema_is_whole() -> None:
    schema = VALIDATOR.schema("Patient")
    assert schema["$ref"] == "#/$defs/Patient"
    assert schema["$defs"]["Patient.link"] == {
        "title": "Patient.link",
        "type": "object",
        "minProperties": 1,
        "properties": {
            "id": {"$ref": "#/$defs/string"},
            "extension": {
                "if": {"nests": 50},
                "then": {"title": "array", "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Extension"}},
                "else": {"nests": 50},
            },
            "modifierExtension": {
                "if": {"nests": 50},
                "then": {"title": "array", "type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Extension"}},
                "else": {"nests": 50},
            },
            "other": {"$ref": "#/$defs/Reference"},
            "type": {"title": "code of link-type", "enum": ["refer", "replaced-by", "replaces", "seealso"]},
            "_type": {"$ref": "#/$defs/Element"},
        },
        "additionalProperties": False,
        "required": ["other"],
        "allOf": [{"title": "type", "anyOf": [{"required": ["type"]}, {"required": ["_type"]}]}],
    }


def test_issues_are_errors() -> None:
    with pytest.raises(Unprocessable) as refused:
        VALIDATOR.check({})
    assert refused.value.issues == (Issue("resourceType is missing.", "required"),)
