"""JSON or XML, as it is asked for: https://hl7.org/fhir/R4/http.html#mime-type"""

import pytest

from fhir_server.outcome import NotAcceptable, UnsupportedMediaType
from fhir_server.rest.formats import Format, sent, wanted
from tests.server import Client

JSON, XML = Format("json"), Format("xml")
FHIR_XML = "application/fhir+xml; charset=utf-8"
PATIENT = {"resourceType": "Patient", "id": "p1", "active": True}
AS_XML = (
    '<?xml version="1.0" encoding="UTF-8"?><Patient xmlns="http://hl7.org/fhir"><id value="p1"/><meta><versionId '
    'value="1"/><lastUpdated value="2026-04-01T09:00:00.000Z"/></meta><active value="true"/></Patient>')
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize("accept, found", [
    ("", JSON), ("*/*", JSON), ("application/*", JSON), ("application/fhir+json", JSON), ("application/json", JSON),
    ("application/fhir+xml", XML), ("application/xml", XML), ("text/xml", XML), ("Application/FHIR+XML", XML),
    (BROWSER, JSON),
    ("application/fhir+xml, application/fhir+json", JSON),
    ("application/fhir+xml, application/fhir+json;q=0.9", XML),
    ("application/fhir+json;q=0.5, application/fhir+xml;q=0.8", XML),
    ("application/fhir+xml, */*", XML),
    ("application/fhir+json;q=0, */*", XML),
    ("application/pdf, application/fhir+xml;q=0.1", XML),
    ("application/fhir+xml;fhirVersion=3.0, application/fhir+json;fhirVersion=4.0", Format("json", versioned=True)),
    ("application/fhir+xml; fhirVersion=4.0; charset=UTF-8", Format("xml", versioned=True)),
    ("application/fhir+xml;q=x, application/fhir+json", JSON),
])
def test_accept_says_what_comes(accept: str, found: Format) -> None:
    assert wanted(accept, ()) == found


@pytest.mark.parametrize("format_, found", [
    ("json", JSON), ("xml", XML), ("application/fhir xml", XML), ("application/fhir+xml", XML), ("text/xml", XML),
    ("application/fhir+json;fhirVersion=4.0", Format("json", versioned=True)), ("", XML),
])
def test_format_in_the_url_wins(format_: str, found: Format) -> None:
    assert wanted("text/xml", [("_format", format_)]) == found


def test_pretty_is_for_people() -> None:
    assert wanted("text/xml", [("_pretty", "true")]) == Format("xml", pretty=True)
    assert wanted("", [("_pretty", "false"), ("_format", "json")]) == JSON


@pytest.mark.parametrize("accept, shown", [
    ("application/pdf", ()), ("application/fhir+json;fhirVersion=5.0", ()), ("application/fhir+json;q=0", ()),
    ("application/json;charset=shift_jis", ()), ("text/turtle", ()), ("*/*", [("_format", "ttl")]),
    ("image/*," * 200, ()),
])
def test_what_cannot_be_had_is_refused(accept: str, shown: list[tuple[str, str]]) -> None:
    with pytest.raises(NotAcceptable):
        wanted(accept, shown)


@pytest.mark.parametrize("content_type, found", [
    ("application/fhir+json", "json"), ("application/json;charset=UTF-8", "json"), ("text/xml", "xml"),
    ("application/fhir+xml; fhirVersion=4.0", "xml"), ("application/json-patch+json", "json-patch"),
])
def test_content_type_says_what_was_sent(content_type: str, found: str) -> None:
    assert sent(content_type, {"application/json-patch+json": "json-patch"}) == found


@pytest.mark.parametrize("content_type, what", [
    ("", "missing"), ("application/pdf", "application/pdf"),
    ("application/json; charset=shift_jis", "charset=shift_jis"),
    ("application/fhir+json;fhirVersion=3.0", "fhirVersion=3.0"), ("application/json-patch+json", "application/json-p"),
])
def test_what_is_not_understood_is_refused(content_type: str, what: str) -> None:
    with pytest.raises(UnsupportedMediaType, match=f"Content-Type is {what}"):
        sent(content_type)


def test_a_resource_goes_in_as_xml_and_comes_out_as_either(fhir: Client) -> None:
    body = '<Patient xmlns="http://hl7.org/fhir"><id value="p1"/><active value="true"/></Patient>'
    put = fhir.send("PUT", "Patient/p1", body, Content_Type="application/fhir+xml", Accept="application/fhir+xml")
    assert (put.status_code, put.text, put.headers["Content-Type"]) == (201, AS_XML, FHIR_XML)
    assert fhir.get("Patient/p1").json() == {
        **PATIENT, "meta": {"versionId": "1", "lastUpdated": "2026-04-01T09:00:00.000Z"}}
    # The same content is no new version, whatever it is written in.
    assert fhir.send("PUT", "Patient/p1", PATIENT).headers["ETag"] == 'W/"1"'


@pytest.mark.parametrize("path, accept, content_type, start", [
    ("Patient/p1?_format=xml", "application/json", FHIR_XML, AS_XML),
    ("Patient/p1?_format=xml&_pretty=true", "", FHIR_XML,
     '<?xml version="1.0" encoding="UTF-8"?>\n<Patient xmlns="http://hl7.org/fhir">\n  <id value="p1"/>\n'),
    ("Patient/p1?_pretty=true", "", "application/fhir+json; charset=utf-8", '{\n  "resourceType": "Patient",\n'),
    ("Patient/p1", "application/fhir+xml;fhirVersion=4.0", "application/fhir+xml; fhirVersion=4.0; charset=utf-8",
     AS_XML),
    ("Patient?_format=xml&_count=5", "", FHIR_XML,
     '<?xml version="1.0" encoding="UTF-8"?><Bundle xmlns="http://hl7.org/fhir"><type value="searchset"/>'),
    ("Patient/p1/_history", "text/xml", FHIR_XML,
     '<?xml version="1.0" encoding="UTF-8"?><Bundle xmlns="http://hl7.org/fhir"><type value="history"/>'),
    ("metadata", "text/xml", FHIR_XML,
     '<?xml version="1.0" encoding="UTF-8"?><CapabilityStatement xmlns="http://hl7.org/fhir">'),
    ("Patient/none", "text/xml", FHIR_XML,
     '<?xml version="1.0" encoding="UTF-8"?><OperationOutcome xmlns="http://hl7.org/fhir"><issue><severity value='
     '"error"/><code value="not-found"/>'),
])
def test_every_answer_comes_in_the_format_asked_for(
    fhir: Client, path: str, accept: str, content_type: str, start: str
) -> None:
    fhir.send("PUT", "Patient/p1", PATIENT)
    answer = fhir.get(path, Accept=accept)
    assert (answer.headers["Content-Type"], answer.text[:len(start)]) == (content_type, start)


def test_a_search_by_post_is_answered_as_its_form_says(fhir: Client) -> None:
    answer = fhir.send("POST", "Patient/_search", "_format=xml&_summary=count",
                       Content_Type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, FHIR_XML)
    assert '<total value="0"/>' in answer.text


def test_xml_that_is_none_is_refused_with_its_line(fhir: Client) -> None:
    answer = fhir.send("PUT", "Patient/p1", '<Patient xmlns="http://hl7.org/fhir">\n<colour value="x"/></Patient>',
                       Content_Type="application/fhir+xml")
    assert (answer.status_code, answer.json()["issue"][0]["diagnostics"], answer.json()["issue"][0]["expression"]) == (
        400, "Line 2: <colour> of the namespace 'http://hl7.org/fhir' is no element of Patient.", ["Patient"])
