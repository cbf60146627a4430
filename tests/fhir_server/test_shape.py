"""A part of a resource is what the definitions say it is: https://hl7.org/fhir/R4/search.html#summary"""

from typing import Any

import pytest

from fhir_server.access.caller import OPEN
from fhir_server.definitions.registry import load
from fhir_server.exchange import Request
from fhir_server.outcome import BadRequest
from fhir_server.shape import SUBSETTED, Parts, Shape, shape

PARTS = Parts(load())
PART = {"tag": [SUBSETTED]}
KANA = {"url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation", "valueCode": "SYL"}
TEXT = {"status": "generated", "div": "<div>x</div>"}
PATIENT = {
    "resourceType": "Patient", "id": "p", "meta": {"versionId": "3", "tag": [{"code": "a"}]}, "text": TEXT,
    "extension": [{"url": "urn:x", "valueString": "y"}], "active": True, "_active": {"id": "i"},
    "name": [{"family": "ヤマダ", "extension": [KANA]}], "deceasedBoolean": False, "maritalStatus": {"text": "z"},
    "contact": [{"name": {"text": "c"}}], "link": [{"other": {"reference": "Patient/q"}, "type": "seealso"}]}
TAGGED = {"versionId": "3", "tag": [{"code": "a"}, SUBSETTED]}
OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "c"}, "text": TEXT,
               "valueQuantity": {"value": 1}, "note": [{"text": "n"}], "method": {"text": "m"}}
PHOTO = {"resourceType": "DocumentReference", "status": "current", "docStatus": "final", "content": [
    {"attachment": {"contentType": "text/plain", "data": "eA==", "title": "t"}}]}


@pytest.mark.parametrize("resource, wanted, shown", [
    (PATIENT, Shape("true"), {
        "resourceType": "Patient", "id": "p", "active": True, "_active": {"id": "i"},
        "name": [{"family": "ヤマダ", "extension": [KANA]}], "deceasedBoolean": False,
        "link": [{"other": {"reference": "Patient/q"}, "type": "seealso"}], "meta": TAGGED}),
    (PATIENT, Shape("text"), {"resourceType": "Patient", "id": "p", "text": TEXT, "meta": TAGGED}),
    (PATIENT, Shape("data"), {
        **{name: value for name, value in PATIENT.items() if name != "text"}, "meta": TAGGED}),
    (PATIENT, Shape("", frozenset({"name"})), {
        "resourceType": "Patient", "id": "p", "active": True, "_active": {"id": "i"},
        "name": [{"family": "ヤマダ", "extension": [KANA]}], "deceasedBoolean": False,
        "link": [{"other": {"reference": "Patient/q"}, "type": "seealso"}], "meta": TAGGED}),
    # Mandatory elements stay; a choice is asked for by its own name or by that in JSON.
    (OBSERVATION, Shape("text"), {
        "resourceType": "Observation", "status": "final", "code": {"text": "c"}, "text": TEXT, "meta": PART}),
    *((OBSERVATION, Shape("", frozenset({name})), {
        "resourceType": "Observation", "status": "final", "code": {"text": "c"}, "valueQuantity": {"value": 1},
        "meta": PART}) for name in ("value", "valueQuantity")),
    # Inside, too, only what is of the summary: an attachment without its bytes.
    (PHOTO, Shape("true"), {
        "resourceType": "DocumentReference", "status": "current", "docStatus": "final", "content": [
            {"attachment": {"contentType": "text/plain", "title": "t"}}], "meta": PART}),
    # Nothing empty is left.
    ({"resourceType": "Media", "status": "completed", "content": {"data": "eA=="}}, Shape("true"), {
        "resourceType": "Media", "status": "completed", "meta": PART}),
])
def test_a_part_is_marked_and_holds_what_is_asked_for(
    resource: dict[str, Any], wanted: Shape, shown: dict[str, Any]
) -> None:
    assert PARTS.of(resource, wanted) == shown
    assert PARTS.of(shown, wanted) == shown


@pytest.mark.parametrize("shown, wanted", [
    ([], None),
    ([("_format", "json")], None),
    ([("_summary", "false")], None),
    ([("_summary", "true")], Shape("true")),
    ([("_elements", "name, birthDate"), ("_elements", "active")],
     Shape("", frozenset({"name", "birthDate", "active"}))),
    ([("_summary", "false"), ("_elements", "name")], Shape("", frozenset({"name"}))),
])
def test_parameters_say_what_part_is_wanted(shown: list[tuple[str, str]], wanted: Shape | None) -> None:
    assert shape(Request("read", OPEN, "", type="Patient", shown=shown), load()) == wanted


@pytest.mark.parametrize("interaction", ["search-compartment", "search-system", "history-system"])
def test_where_several_types_are_shown_an_element_of_one_of_them_will_do(interaction: str) -> None:
    request = Request(interaction, OPEN, "", type="Patient", shown=[("_elements", "status")])
    assert shape(request, load()) == Shape("", frozenset({"status"}))


@pytest.mark.parametrize("shown, text, expression", [
    ([("_summary", "yes")], "_summary is 'yes'; known are true, text, data, count, false.", "http._summary"),
    ([("_summary", "count")], "_summary=count is for what has a total: a search or a history.", "http._summary"),
    ([("_summary", "text"), ("_elements", "name")],
     "_summary=text and _elements cannot be had together.", "http._elements"),
    ([("_elements", "colour")], "'colour' is no element of Patient.", "http._elements"),
    ([("_elements", "name.family")], "'name.family' is no element of Patient.", "http._elements"),
    ([("_elements", ",".join(["name"] * 101))], "_elements names at most 100 elements, not 101.", "http._elements"),
    ([("_elements", "")], "'' is no element of Patient.", "http._elements"),
])
def test_what_cannot_be_shown_is_refused_by_name(shown: list[tuple[str, str]], text: str, expression: str) -> None:
    with pytest.raises(BadRequest) as refused:
        shape(Request("read", OPEN, "", type="Patient", shown=shown), load())
    assert [(one.text, one.expression) for one in refused.value.issues] == [(text, expression)]
