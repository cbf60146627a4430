"""The three ways to say a patch, on a resource alone."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.definitions import registry
from fhir_server.fhirjson import Resource, decode, encode
from fhir_server.outcome import BadRequest, FHIRError, NotSupported, TooLarge, Unprocessable
from fhir_server.patch.patch import PATCHES, patched
from fhir_server.patch.rules import Rules
from fhir_server.validation.structure import Validator

DEFINITIONS = registry.load()
RULES = Rules(DEFINITIONS, Validator(DEFINITIONS).check, 10_000)

PATIENT = b"""{"resourceType":"Patient","id":"p1","active":true,"gender":"female","birthDate":"1955-01-17",
"_birthDate":{"extension":[{"url":"http://x.example/time","valueTime":"08:30:00"}]},
"identifier":[{"system":"urn:a","value":"1"},{"system":"urn:b","value":"2"},{"system":"urn:c","value":"3"}],
"name":[{"use":"official","family":"\\u5c71\\u7530","given":["\\u592a\\u90ce","\\u4e00"],"_given":[null,{"id":"g2"}]}],
"contact":[{"gender":"male","name":{"text":"a"}},{"gender":"female","name":{"text":"b"}}],
"extension":[{"url":"http://x.example/weight","valueQuantity":{"value":61.50,"unit":"kg"}}]}"""
OBSERVATION = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.00}}'


def applied(kind: str, document: Any, raw: bytes = PATIENT) -> Resource:
    return patched(kind, document, RULES)(decode(raw))


def changed(kind: str, document: Any, raw: bytes = PATIENT) -> dict[str, Any]:
    """The members that differ afterwards; None: it is gone."""
    before, after = decode(raw), applied(kind, document, raw)
    return {name: after.get(name) for name in {**before, **after} if before.get(name) != after.get(name)}


def operation(type_: str, path: str, value: Any = None, **more: Any) -> dict[str, Any]:
    """An operation of a FHIRPath Patch; `value` is `{"valueCode": "x"}` or `{"part": […]}`."""
    parts: list[dict[str, Any]] = [{"name": "type", "valueCode": type_}, {"name": "path", "valueString": path}]
    parts += [{"name": "value", **value}] if value else []
    parts += [{"name": name, "valueString" if name == "name" else "valueInteger": one} for name, one in more.items()]
    return {"name": "operation", "part": parts}


def parameters(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": list(operations)}


@pytest.mark.parametrize("document, wanted", [
    ([{"op": "replace", "path": "/gender", "value": "male"}], {"gender": "male"}),
    ([{"op": "test", "path": "/active", "value": True}, {"op": "remove", "path": "/active"}], {"active": None}),
    ([{"op": "add", "path": "/contact/-", "value": {"gender": "other"}}, {"op": "remove", "path": "/contact/0"},
      {"op": "remove", "path": "/contact/0"}], {"contact": [{"gender": "other"}]}),
    ([{"op": "move", "from": "/identifier/2", "path": "/identifier/0"}],
     {"identifier": [{"system": "urn:c", "value": "3"}, {"system": "urn:a", "value": "1"},
                     {"system": "urn:b", "value": "2"}]}),
    ([{"op": "copy", "from": "/contact/1/gender", "path": "/contact/0/gender"}],
     {"contact": [{"gender": "female", "name": {"text": "a"}}, {"gender": "female", "name": {"text": "b"}}]}),
    ([{"op": "test", "path": "/extension/0/valueQuantity/value", "value": Decimal("61.5")}], {}),
    ([], {}),
])
def test_json_patch(document: Any, wanted: dict[str, Any]) -> None:
    assert changed("json-patch", document) == wanted


@pytest.mark.parametrize("document, error, text", [
    ({"op": "remove"}, BadRequest, "A JSON Patch is a list of operations."),
    ([1], BadRequest, "Operation 1 is no operation of JSON Patch."),
    ([{"op": "remove", "path": "/active"}, {"op": "jump", "path": "/x"}], BadRequest,
     "Operation 2 (jump /x) is no operation of JSON Patch."),
    ([{"op": "add", "path": "/active"}], BadRequest, "Operation 1 (add /active) is no operation of JSON Patch."),
    ([{"op": "replace", "path": "/multipleBirthInteger", "value": 1}], Unprocessable,
     "Operation 1 (replace /multipleBirthInteger) does not fit the resource: there is no such place."),
    ([{"op": "add", "path": "/contact/7", "value": {}}], Unprocessable,
     "Operation 1 (add /contact/7) does not fit the resource: there is no such place."),
    ([{"op": "test", "path": "/active", "value": 1}], Unprocessable,
     "Operation 1 (test /active) fails: the resource does not have that value."),
    ([{"op": "replace", "path": "", "value": 1}], Unprocessable, "What the patch makes is no resource."),
    ([{"op": "test", "path": "", "value": {}}] * 1001, TooLarge,
     "A patch has at most 1000 operations, this one has 1001."),
    ([{"op": "copy", "from": "/contact", "path": "/contact/-"}] * 50, TooLarge,
     "Operation 7 (copy /contact/-) makes the resource larger than 10000 bytes."),
    ([{"op": "copy", "from": "/active", "path": "/active"}] * 51, TooLarge,
     "A patch has at most 50 operations that copy."),
])
def test_a_json_patch_that_does_not_fit_names_the_operation(document: Any, error: type[FHIRError], text: str) -> None:
    with pytest.raises(error) as refused:
        applied("json-patch", document)
    assert refused.value.issues[0].text == text


@pytest.mark.parametrize("document, wanted", [
    ({"gender": "male", "active": None}, {"gender": "male", "active": None}),
    ({"contact": [{"gender": "other"}]}, {"contact": [{"gender": "other"}]}),
    ({"maritalStatus": {"text": "x", "coding": None}}, {"maritalStatus": {"text": "x"}}),
    ({}, {}),
])
def test_merge_patch(document: Any, wanted: dict[str, Any]) -> None:
    assert changed("merge-patch", document) == wanted


# https://www.rfc-editor.org/rfc/rfc7396#appendix-A
@pytest.mark.parametrize("target, document, wanted", [
    ('{"a":"b"}', '{"a":"c"}', '{"a":"c"}'), ('{"a":"b"}', '{"b":"c"}', '{"a":"b","b":"c"}'),
    ('{"a":"b"}', '{"a":null}', '{}'), ('{"a":"b","b":"c"}', '{"a":null}', '{"b":"c"}'),
    ('{"a":["b"]}', '{"a":"c"}', '{"a":"c"}'), ('{"a":"c"}', '{"a":["b"]}', '{"a":["b"]}'),
    ('{"a":{"b":"c"}}', '{"a":{"b":"d","c":null}}', '{"a":{"b":"d"}}'),
    ('{"a":[{"b":"c"}]}', '{"a":[1]}', '{"a":[1]}'), ('{"e":null}', '{"a":1}', '{"e":null,"a":1}'),
    ('{}', '{"a":{"bb":{"ccc":null}}}', '{"a":{"bb":{}}}'),
])
def test_merge_patch_does_as_its_rfc_shows(target: str, document: str, wanted: str) -> None:
    assert applied("merge-patch", decode(document), target.encode()) == decode(wanted)


FHIRPATH = [
    (operation("add", "Patient", {"valueBoolean": False}, name="deceased"), {"deceasedBoolean": False}),
    (operation("add", "Patient", {"valueDateTime": "2026"}, name="deceased"), {"deceasedDateTime": "2026"}),
    (operation("add", "Patient", {"valueIdentifier": {"value": "4"}}, name="identifier"),
     {"identifier": [{"system": "urn:a", "value": "1"}, {"system": "urn:b", "value": "2"},
                     {"system": "urn:c", "value": "3"}, {"value": "4"}]}),
    (operation("add", "Patient.contact[0].name", {"valueString": "x"}, name="family"),
     {"contact": [{"gender": "male", "name": {"text": "a", "family": "x"}},
                  {"gender": "female", "name": {"text": "b"}}]}),
    (operation("add", "Patient", {"part": [
        {"name": "gender", "valueCode": "other"}, {"name": "relationship", "valueCodeableConcept": {"text": "r"}},
        {"name": "name", "part": [{"name": "given", "valueString": "g"}, {"name": "given", "valueString": "h"}]}]},
        name="contact"),
     {"contact": [{"gender": "male", "name": {"text": "a"}}, {"gender": "female", "name": {"text": "b"}},
                  {"gender": "other", "relationship": [{"text": "r"}], "name": {"given": ["g", "h"]}}]}),
    (operation("add", "Patient.gender", {"part": [
        {"name": "url", "valueUri": "urn:e"}, {"name": "value", "valueString": "x"}]}, name="extension"),
     {"_gender": {"extension": [{"url": "urn:e", "valueString": "x"}]}}),
    (operation("add", "Patient.name.given[0]", {"valueString": "g1"}, name="id"),
     {"name": [{"use": "official", "family": "山田", "given": ["太郎", "一"], "_given": [{"id": "g1"}, {"id": "g2"}]}]}),
    (operation("insert", "Patient.identifier", {"valueIdentifier": {"value": "0"}}, index=1),
     {"identifier": [{"system": "urn:a", "value": "1"}, {"value": "0"}, {"system": "urn:b", "value": "2"},
                     {"system": "urn:c", "value": "3"}]}),
    (operation("insert", "Patient.name[0].given", {"valueString": "次"}, index=0),
     {"name": [{"use": "official", "family": "山田", "given": ["次", "太郎", "一"],
                "_given": [None, None, {"id": "g2"}]}]}),
    (operation("insert", "Patient.communication", {"part": [{"name": "preferred", "valueBoolean": True}]}, index=0),
     {"communication": [{"preferred": True}]}),
    (operation("delete", "Patient.gender"), {"gender": None}),
    (operation("delete", "Patient.birthDate"), {"birthDate": None, "_birthDate": None}),
    (operation("delete", "Patient.birthDate.extension('http://x.example/time')"), {"_birthDate": None}),
    (operation("delete", "Patient.deceased"), {}),
    (operation("delete", "Patient.contact.where(gender = 'male')"),
     {"contact": [{"gender": "female", "name": {"text": "b"}}]}),
    (operation("delete", "Patient.contact.where(name.text = 'a' and gender = 'male').name.text"),
     {"contact": [{"gender": "male"}, {"gender": "female", "name": {"text": "b"}}]}),
    (operation("delete", "Patient.name.given.last()"),
     {"name": [{"use": "official", "family": "山田", "given": ["太郎"]}]}),
    (operation("replace", "Patient.birthDate", {"valueDate": "1956"}), {"birthDate": "1956", "_birthDate": None}),
    (operation("replace", "Patient.contact.last().gender", {"valueCode": "other"}),
     {"contact": [{"gender": "male", "name": {"text": "a"}}, {"gender": "other", "name": {"text": "b"}}]}),
    (operation("replace", "Patient.extension('http://x.example/weight').value", {"valueString": "heavy"}),
     {"extension": [{"url": "http://x.example/weight", "valueString": "heavy"}]}),
    (operation("replace", "Patient.extension.where(url='http://x.example/weight').value.ofType(Quantity).unit",
               {"valueString": "g"}),
     {"extension": [{"url": "http://x.example/weight", "valueQuantity": {"value": Decimal("61.50"), "unit": "g"}}]}),
    (operation("replace", "name.single().given[1]", {"valueString": "二"}),
     {"name": [{"use": "official", "family": "山田", "given": ["太郎", "二"]}]}),
    (operation("move", "Patient.identifier", source=2, destination=0),
     {"identifier": [{"system": "urn:c", "value": "3"}, {"system": "urn:a", "value": "1"},
                     {"system": "urn:b", "value": "2"}]}),
    (operation("move", "Patient.name.given", source=0, destination=1),
     {"name": [{"use": "official", "family": "山田", "given": ["一", "太郎"], "_given": [{"id": "g2"}, None]}]}),
]


@pytest.mark.parametrize("one, wanted", FHIRPATH)
def test_fhirpath_patch(one: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert changed("fhirpath", parameters(one)) == wanted


def test_operations_see_what_those_before_them_did() -> None:
    document = parameters(
        operation("delete", "Patient.contact[0]"), operation("delete", "Patient.contact[0].name"),
        operation("replace", "Patient.contact.gender", {"valueCode": "other"}))
    assert changed("fhirpath", document) == {"contact": [{"gender": "other"}]}


def test_a_patch_can_be_applied_again_and_again() -> None:
    """A write that lost a race patches anew what the winner wrote: the patch itself must stay what it was."""
    document = parameters(
        operation("add", "Patient", {"valueHumanName": {"given": ["x"]}}, name="name"),
        operation("insert", "Patient.name[1].given", {"valueString": "y"}, index=0))
    apply = patched("fhirpath", document, RULES)
    assert apply(decode(PATIENT)) == apply(decode(PATIENT))
    json_patch = patched("json-patch", [
        {"op": "add", "path": "/photo", "value": []}, {"op": "add", "path": "/photo/-", "value": {"title": "x"}},
    ], RULES)
    assert json_patch(decode(PATIENT)) == json_patch(decode(PATIENT))


def test_decimals_keep_their_digits() -> None:
    document = parameters(operation("replace", "Observation.value.value", {"valueDecimal": Decimal("2.500")}))
    assert b'"value":2.500' in encode(applied("fhirpath", document, OBSERVATION))
    kept = parameters(operation("replace", "Observation.status", {"valueCode": "amended"}))
    assert b'"value":1.00}' in encode(applied("fhirpath", kept, OBSERVATION))
    assert b'"value":1.00}' in encode(applied("json-patch", [{"op": "remove", "path": "/status"}], OBSERVATION))


PLACE = "Parameters.parameter[0]"


@pytest.mark.parametrize("document, error, text, place", [
    ([], BadRequest, "A FHIRPath Patch is a Parameters resource.", "Parameters"),
    ({"resourceType": "Patient"}, BadRequest, "A FHIRPath Patch is a Parameters resource.", "Parameters"),
    (parameters({"name": "change"}), BadRequest, "Every parameter of a FHIRPath Patch is an operation.",
     PLACE + ".name"),
    (parameters(operation("jump", "Patient.gender")), BadRequest,
     "type is one of add, insert, delete, replace, move.", PLACE),
    (parameters(operation("delete", "Patient.gender and")), BadRequest, "'Patient.gender and' is no FHIRPath.", PLACE),
    (parameters(operation("delete", "Patient.name)")), BadRequest, "'Patient.name)' is no FHIRPath.", PLACE),
    (parameters(operation("delete", "Patient.gender | Patient.id")), NotSupported,
     "'Patient.gender | Patient.id' is not supported from '| Patient.id' on.", PLACE),
    (parameters(operation("delete", "Patient.repeat(contact)")), NotSupported,
     "The function repeat() is not supported in the path of a patch.", PLACE),
    (parameters(operation("delete", "Patient.nonsense")), BadRequest, "There is no element Patient.nonsense.", PLACE),
    (parameters(operation("delete", "Patient.contact")), Unprocessable,
     "The path of delete leads to 2 elements, not to one.", PLACE),
    (parameters(operation("delete", "Patient")), Unprocessable, "A patch cannot delete the resource itself.", PLACE),
    (parameters(operation("replace", "Patient.deceased", {"valueBoolean": True})), Unprocessable,
     "The path of replace leads to no elements, not to one.", PLACE),
    (parameters(operation("replace", "Patient.gender")), BadRequest, "replace needs value.", PLACE),
    (parameters(operation("replace", "Patient.gender", {"valueString": "male"})), Unprocessable,
     "gender has the type code, not String.", PLACE),
    (parameters(operation("add", "Patient", {"valueString": "x"}, name="deceased")), Unprocessable,
     "deceased has the type boolean or dateTime, not String.", PLACE),
    (parameters(operation("add", "Patient", {"valueCode": "male"}, name="gender")), Unprocessable,
     "gender is there already, and does not repeat.", PLACE),
    (parameters(operation("add", "Patient", {"valueCode": "male"})), BadRequest, "add needs name, a string.", PLACE),
    (parameters(operation("insert", "Patient.identifier", {"valueIdentifier": {"value": "x"}})), BadRequest,
     "insert needs index, a number from 0 on.", PLACE),
    (parameters(operation("insert", "Patient.identifier", {"valueIdentifier": {"value": "x"}}, index=4)),
     Unprocessable, "index is 4; it can be at most 3.", PLACE),
    (parameters(operation("insert", "Patient.gender", {"valueCode": "male"}, index=0)), Unprocessable,
     "gender is no list.", PLACE),
    (parameters(operation("move", "Patient.identifier", source=3, destination=0)), Unprocessable,
     "source is 3; it can be at most 2.", PLACE),
    (parameters(operation("move", "Patient.photo", source=0, destination=0)), Unprocessable, "The list is empty.",
     PLACE),
    (parameters(operation("move", "Patient.identifier[0]", source=0, destination=0)), BadRequest,
     "The path of move ends in the name of a list.", PLACE),
])
def test_a_fhirpath_patch_that_does_not_fit_names_the_operation(
    document: Any, error: type[FHIRError], text: str, place: str
) -> None:
    with pytest.raises(error) as refused:
        applied("fhirpath", document)
    assert (refused.value.issues[0].text, refused.value.issues[0].expression) == (text, place)


def test_an_invalid_parameters_is_refused_with_the_element() -> None:
    with pytest.raises(Unprocessable) as refused:
        applied("fhirpath", parameters(operation("replace", "Patient.birthDate", {"valueDate": "tomorrow"})))
    assert refused.value.issues[0].expression == "Parameters.parameter[0].part[2].value"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8)
POINTER = st.sampled_from(
    ["", "/", "/name", "/name/0", "/name/-", "/name/0/given/0", "/active", "/active/x", "/~2", "x"])
OPERATION = st.fixed_dictionaries({}, optional={
    "op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test", "x"]),
    "path": POINTER | JSON, "from": POINTER | JSON, "value": JSON})
STEPS = ["Patient", ".name", ".given", "[0]", "[", ".where(", "use='official'", ")", ".extension('x')", ".value", "|"]
PATH = st.lists(st.sampled_from(STEPS), max_size=6).map("".join)
FHIRPATH_OPERATION = st.builds(
    operation, st.sampled_from(["add", "insert", "delete", "replace", "move"]), PATH.filter(bool),
    st.sampled_from([None, {"valueString": "x"}, {"valueHumanName": {"text": "x"}}, {"part": []}]),
    name=st.sampled_from(["given", "name", "extension"]), index=st.integers(0, 3), source=st.integers(0, 3),
    destination=st.integers(0, 3))


@pytest.mark.parametrize("kind", PATCHES)
@given(documents=st.lists(JSON | OPERATION, max_size=4) | JSON, operations=st.lists(FHIRPATH_OPERATION, max_size=4))
def test_whatever_is_sent_is_applied_or_refused(kind: str, documents: Any, operations: Any) -> None:
    for document in (documents, parameters(*operations)):
        try:
            made = applied(kind, document)
        except FHIRError:
            continue
        assert isinstance(made, dict)
