"""Links among the entries of a transaction."""

import pytest

from fhir_server.bundle.links import Links, linked
from fhir_server.outcome import BadRequest, Issue, PreconditionFailed

UUID = "urn:uuid:05efabf0-4be2-4561-91ce-51548425acb9"
LINKS = Links({UUID: "Patient/p1", "http://old.example/Patient/7": "Patient/p7"}, "http://old.example/")


@pytest.mark.parametrize("given, wanted", [
    ({"subject": {"reference": UUID}}, {"subject": {"reference": "Patient/p1"}}),
    ({"subject": {"reference": "Patient/7"}}, {"subject": {"reference": "Patient/p7"}}),
    ({"subject": {"reference": "http://old.example/Patient/7"}}, {"subject": {"reference": "Patient/p7"}}),
    ({"subject": {"reference": "Patient/8"}}, {"subject": {"reference": "Patient/8"}}),
    ({"subject": {"reference": UUID + "#part"}}, {"subject": {"reference": "Patient/p1#part"}}),
    ({"instantiatesUri": [UUID, "urn:x"]}, {"instantiatesUri": ["Patient/p1", "urn:x"]}),
    ({"valueString": UUID, "family": UUID}, {"valueString": UUID, "family": UUID}),
    ({"subject": {"reference": "#inside"}}, {"subject": {"reference": "#inside"}}),
    ({"content": [{"attachment": {"url": UUID}}]}, {"content": [{"attachment": {"url": "Patient/p1"}}]}),
    ({"text": {"div": f'<div><a title="x" href="{UUID}">{UUID}</a><img src="urn:x"/></div>'}},
     {"text": {"div": f'<div><a title="x" href="Patient/p1">{UUID}</a><img src="urn:x"/></div>'}}),
    ({"identifier": [{"system": "urn:ietf:rfc:3986", "value": UUID}]},
     {"identifier": [{"system": "urn:ietf:rfc:3986", "value": UUID}]}),
])
def test_a_link_to_an_entry_becomes_literal_and_nothing_else_changes(given: dict, wanted: dict) -> None:
    assert linked(given, LINKS, "Bundle.entry[0].resource") == wanted


@pytest.mark.parametrize("reference, text", [
    ("urn:uuid:00000000-0000-4000-8000-000000000000",
     "No entry of the transaction has the fullUrl urn:uuid:00000000-0000-4000-8000-000000000000."),
    ("urn:oid:1.2.3", "No entry of the transaction has the fullUrl urn:oid:1.2.3."),
])
def test_a_link_that_leads_nowhere_is_named_with_its_place(reference: str, text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        linked({"subject": {"reference": reference}}, LINKS, "Bundle.entry[2].resource")
    assert refused.value.issues == (Issue(text, "invalid", "Bundle.entry[2].resource.subject.reference"),)


def test_a_relative_reference_is_one_of_the_own_server_unless_the_entry_came_from_another() -> None:
    elsewhere = Links({"http://evil.example/Patient/7": "Patient/new"})
    resource = {"subject": {"reference": "Patient/7"}}
    assert linked(resource, elsewhere, "Bundle.entry[0].resource") == resource


def _found(reference: str) -> str:
    if reference == "Patient?identifier=7":
        return "Patient/p7"
    raise PreconditionFailed("Nothing matches.")


@pytest.mark.parametrize("reference, literal", [
    ("Patient?identifier=7", "Patient/p7"),
    ("http://here/fhir/Patient?identifier=7", "Patient/p7"),
    ("http://elsewhere/fhir/Patient?identifier=7", "http://elsewhere/fhir/Patient?identifier=7"),
])
def test_a_conditional_reference_of_this_server_becomes_literal(reference: str, literal: str) -> None:
    links = Links({}, own="http://here/fhir", match=_found)
    assert linked({"subject": {"reference": reference}}, links, "")["subject"]["reference"] == literal


def test_a_conditional_reference_without_a_match_is_named_with_its_place() -> None:
    with pytest.raises(PreconditionFailed) as refused:
        linked({"subject": {"reference": "Patient?identifier=8"}}, Links({}, match=_found), "Bundle.entry[2].resource")
    assert refused.value.issues[0].expression == "Bundle.entry[2].resource.subject.reference"


@pytest.mark.parametrize("reference, literal", [
    ("urn:uuid:new/_history/4", "Patient/new/_history/1"),
    ("http://old.example/Patient/7/_history/4", "http://old.example/Patient/7/_history/4"),
])
def test_a_version_is_known_only_of_what_is_created(reference: str, literal: str) -> None:
    ids = {"urn:uuid:new": "Patient/new", "http://old.example/Patient/7": "Patient/p7"}
    links = Links(ids, created=frozenset(("Patient/new",)))
    assert linked({"subject": {"reference": reference}}, links, "")["subject"]["reference"] == literal
