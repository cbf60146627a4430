"""Which SearchParameter resources can work, and what is told of the others."""

from typing import Any

import pytest

from fhir_server.definitions.registry import SearchParameter, load
from fhir_server.outcome import Unprocessable
from fhir_server.search.definition import accepted, check, read
from fhir_server.search.searchable import layout

GIVEN: dict[str, Any] = {
    "resourceType": "SearchParameter", "id": "s1", "url": "http://example.jp/fhir/SearchParameter/nickname",
    "name": "nickname", "description": "A name among friends", "status": "active", "code": "nickname",
    "base": ["Patient"], "type": "string", "expression": "Patient.name.where(use = 'nickname').given",
}
CODE = "http://hl7.org/fhir/SearchParameter/clinical-code"
AT = "http://hl7.org/fhir/SearchParameter/clinical-date"


def refused(**changed: Any) -> list[tuple[str, str | None]]:
    try:
        check({**GIVEN, **changed}, load())
    except Unprocessable as error:
        return [(one.text, one.expression) for one in error.issues]
    return []


@pytest.mark.parametrize("changed, text, place", [
    ({"code": "_nickname"}, "'_nickname' cannot be a code here: 1 to 64 of A-Z, a-z, 0-9, - and _ are, with a letter "
                            "in front.", "code"),
    ({"code": "nick.name"}, "'nick.name' cannot be a code here: 1 to 64 of A-Z, a-z, 0-9, - and _ are, with a letter "
                            "in front.", "code"),
    ({"code": "family"}, "family is a search parameter of Patient by the standard.", "code"),
    ({"code": "family", "base": ["Resource"], "type": "token", "expression": "Resource.id"},
     "family is a search parameter of Patient by the standard.", "code"),
    ({"type": "special"}, "Search parameters of the type special cannot be added.", "type"),
    ({"expression": ""}, "An active search parameter has an expression.", "expression"),
    ({"expression": "Patient.name" + ".given" * 200}, "An expression has at most 1000 characters.", "expression"),
    ({"expression": "Patient.name."}, "'Patient.name.' is no FHIRPath; a union stands only at the outermost level.",
     "expression"),
    ({"expression": "Patient.name)"}, "'Patient.name)' is no FHIRPath; a union stands only at the outermost level.",
     "expression"),
    ({"expression": "Patient.name.where(text = 'a|b').given"},
     "\"Patient.name.where(text = 'a\" is no FHIRPath; a union stands only at the outermost level.", "expression"),
    ({"expression": "name.given"}, "'name.given' does not start at Patient.", "expression"),
    ({"expression": "Practitioner.name.given"}, "'Practitioner.name.given' does not start at Patient.", "expression"),
    ({"expression": "Patient.name.given | Practitioner.name.given"},
     "'Practitioner.name.given' does not start at Patient.", "expression"),
    ({"base": ["Patient", "Person"]}, "Nothing of the expression starts at Person.", "expression"),
    ({"expression": "Patient.nickname"},
     "The expression cannot be searched by: There is no element Patient.nickname.", "expression"),
    ({"expression": "Patient.name.given.lower()"},
     "The expression cannot be searched by: The function lower().", "expression"),
    ({"expression": "(Patient.name | Patient.contact.name).given"},
     "'(Patient.name' is no FHIRPath; a union stands only at the outermost level.", "expression"),
    ({"expression": "Patient.birthDate"},
     "The expression finds date in Patient, which a search parameter of the type string does not search.",
     "expression"),
    ({"type": "composite", "expression": "Patient"}, "A composite has two components at least.", "component"),
    ({"type": "composite", "expression": "Observation", "base": ["Observation"],
      "component": [{"definition": "http://example.jp/none", "expression": "code"},
                    {"definition": AT, "expression": "effective"}]},
     "http://example.jp/none is no search parameter of Observation that a composite can have.",
     "component[0].definition"),
    ({"type": "composite", "expression": "Observation", "base": ["Observation"],
      "component": [{"definition": CODE, "expression": "code"}, {"definition": AT, "expression": "effectively"}]},
     "The expression cannot be searched by: There is no element Observation.effectively.", "component[1].expression"),
])
def test_what_cannot_work_is_refused_naming_the_element(changed: dict[str, Any], text: str, place: str) -> None:
    assert refused(**changed) == [(text, f"SearchParameter.{place}")]


@pytest.mark.parametrize("changed", [
    {},
    {"status": "draft", "code": "_family", "expression": "nothing"},
    {"status": "retired", "code": "family"},
    {"expression": "Patient.name.given | Patient.contact.name.given"},
    {"expression": "Patient.extension.where(url = 'http://example.jp/nickname').value.ofType(string)"},
    {"base": ["Patient", "Person"], "expression": "Patient.name.given | Person.name.given"},
    {"base": ["DomainResource"], "type": "uri", "expression": "DomainResource.extension.url"},
    {"base": ["Resource"], "type": "token", "expression": "Resource.language"},
    {"type": "composite", "expression": "Observation.component", "base": ["Observation"],
     "component": [{"definition": CODE, "expression": "code"},
                   {"definition": AT, "expression": "%resource.effective"}]},
])
def test_what_can_work_is_taken_and_so_is_what_is_not_active(changed: dict[str, Any]) -> None:
    assert refused(**changed) == []


def test_a_code_belongs_to_one_search_parameter_of_a_type() -> None:
    taken = load().with_parameters([read(GIVEN)])
    check(GIVEN, taken)
    with pytest.raises(Unprocessable) as error:
        check({**GIVEN, "url": "http://example.jp/fhir/SearchParameter/other"}, taken)
    assert str(error.value) == f"nickname is a search parameter of Patient already, defined by {GIVEN['url']}."


def test_of_stored_ones_that_cannot_stand_together_the_first_does() -> None:
    second = {**GIVEN, "id": "s2", "url": "http://example.jp/fhir/SearchParameter/second"}
    retired = {**second, "id": "s0", "status": "retired"}
    assert accepted([second, retired, GIVEN], load()) == [SearchParameter(
        "nickname", GIVEN["url"], "string", GIVEN["expression"], ("Patient",), standard=False)]


def test_a_search_parameter_of_the_network_moves_none_of_the_standard() -> None:
    added = load().with_parameters([
        SearchParameter("aaa", "http://example.jp/a", "token", "Patient.gender", ("Patient",), standard=False),
        SearchParameter("date", "http://example.jp/d", "date", "Patient.birthDate", ("Patient",), standard=False)])
    before, after = layout("Patient", load()), layout("Patient", added)
    assert {code: after.places[code] for code in before.places} == before.places
    assert (after.places["aaa"], after.places["date"]) == (before.places["gender"], before.places["birthdate"])
    assert after.hash == before.hash
    assert layout("Observation", added) is layout("Observation", load())
