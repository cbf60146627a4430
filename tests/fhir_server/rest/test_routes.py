"""One table says what method and path mean."""

import pytest

from fhir_server.access.caller import OPEN
from fhir_server.definitions import registry
from fhir_server.exchange import Request
from fhir_server.outcome import BadRequest, FHIRError, MethodNotAllowed, NotFound
from fhir_server.rest.routes import resolver

resolve = resolver(registry.load())
BLANK = Request("", OPEN, "http://here/fhir")


@pytest.mark.parametrize("method, url, interaction, type_, id_, version, query", [
    ("GET", "metadata", "capabilities", "", "", "", ()),
    ("POST", "", "transaction", "", "", "", ()),
    ("GET", "Patient", "search-type", "Patient", "", "", ()),
    ("GET", "Patient?name=%E5%B1%B1&name:exact=a+b", "search-type", "Patient", "", "",
     (("name", "山"), ("name:exact", "a b"))),
    ("POST", "Patient/_search", "search-type", "Patient", "", "", ()),
    ("POST", "Patient", "create", "Patient", "", "", ()),
    ("GET", "Patient/p1", "read", "Patient", "p1", "", ()),
    ("PUT", "/Patient/p1", "update", "Patient", "p1", "", ()),
    ("DELETE", "Patient/p1", "delete", "Patient", "p1", "", ()),
    ("PATCH", "Patient/p1", "patch", "Patient", "p1", "", ()),
    ("PUT", "Patient?identifier=1", "update", "Patient", "", "", (("identifier", "1"),)),
    ("PATCH", "Patient?identifier=1", "patch", "Patient", "", "", (("identifier", "1"),)),
    ("DELETE", "Patient?identifier=1", "delete", "Patient", "", "", (("identifier", "1"),)),
    ("GET", "Patient/p1/_history", "history-instance", "Patient", "p1", "", ()),
    ("GET", "Patient/p1/_history/3", "vread", "Patient", "p1", "3", ()),
])
def test_method_and_path_name_an_interaction(
    method: str, url: str, interaction: str, type_: str, id_: str, version: str, query: tuple[tuple[str, str], ...]
) -> None:
    assert resolve(method, url, BLANK) == Request(
        interaction, OPEN, "http://here/fhir", type=type_, id=id_, version=version, query=query)


@pytest.mark.parametrize("method, url, error, text", [
    ("GET", "Nonsense/1", NotFound, "There is no resource type 'Nonsense' in FHIR R4."),
    ("GET", "patient/1", NotFound, "There is no resource type 'patient' in FHIR R4."),
    ("GET", "Patient/1/2/3/4", NotFound, "There is nothing at Patient/1/2/3/4."),
    ("GET", "Patient/$everything", NotFound, "There is nothing at Patient/$everything."),
    ("POST", "Patient/1", MethodNotAllowed,
     "POST is not possible on Patient/1; possible are GET, PUT, PATCH, DELETE."),
    ("DELETE", "", MethodNotAllowed, "DELETE is not possible on the base; possible are POST, GET."),
    ("GET", "Patient/a_b", BadRequest, "'a_b' cannot be an id: 1 to 64 of A-Z, a-z, 0-9, - and . are allowed."),
    ("GET", "Patient?name=%FF", BadRequest, "The query cannot be read: more than 500 parameters, or not UTF-8."),
])
def test_what_cannot_be_is_refused_with_the_reason(method: str, url: str, error: type[FHIRError], text: str) -> None:
    with pytest.raises(error) as refused:
        resolve(method, url, BLANK)
    assert refused.value.issues[0].text == text
