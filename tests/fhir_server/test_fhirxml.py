"""XML says what JSON says: https://hl7.org/fhir/R4/xml.html"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.definitions.registry import load
from fhir_server.fhirjson import decode
from fhir_server.fhirxml import Xml
from fhir_server.outcome import FHIRError
from tests.r4_examples import examples

XML = Xml(load())
HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
F = 'xmlns="http://hl7.org/fhir"'
H = 'xmlns="http://www.w3.org/1999/xhtml"'


def test_every_official_example_comes_back_from_xml_as_it_was() -> None:
    # Decimal("1.00") == Decimal("1.0"), but their texts differ; so do 1 and True, 5 and Decimal("5").
    different = [name for name, raw in examples() if not _same(XML.read(XML.write(decode(raw))), decode(raw))]
    assert (different, len(examples())) == ([], 373)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return repr(one) == repr(other)


@pytest.mark.parametrize("resource, xml", [
    ({"resourceType": "Basic", "id": "b", "code": {"text": "山田 & <co> \"x\""}},
     f'<Basic {F}><id value="b"/><code><text value="山田 &amp; &lt;co&gt; &quot;x&quot;"/></code></Basic>'),
    # In the order of the definitions, whatever the order of the JSON.
    ({"resourceType": "Patient", "birthDate": "1970", "active": True, "id": "p"},
     f'<Patient {F}><id value="p"/><active value="true"/><birthDate value="1970"/></Patient>'),
    # Ids and urls are attributes; extensions of primitives stand inside them.
    ({"resourceType": "Patient", "birthDate": "1970", "_birthDate": {"id": "i", "extension": [
        {"url": "urn:x", "valueBoolean": False}]}},
     f'<Patient {F}><birthDate id="i" value="1970"><extension url="urn:x"><valueBoolean value="false"/></extension>'
     '</birthDate></Patient>'),
    ({"resourceType": "Patient", "name": [{"id": "n", "given": ["a", None], "_given": [None, {"id": "g"}]}]},
     f'<Patient {F}><name id="n"><given value="a"/><given id="g"/></name></Patient>'),
    ({"resourceType": "Patient", "_birthDate": {"extension": [{"url": "urn:x", "valueInteger": -5}]}},
     f'<Patient {F}><birthDate><extension url="urn:x"><valueInteger value="-5"/></extension></birthDate></Patient>'),
    # Digits of decimals, and white space, which a reader would make blanks of.
    ({"resourceType": "Observation", "status": "final", "code": {"text": "a\tb\r\nc"}, "valueQuantity": {
        "value": Decimal("1.00")}},
     f'<Observation {F}><status value="final"/><code><text value="a&#9;b&#13;&#10;c"/></code>'
     '<valueQuantity><value value="1.00"/></valueQuantity></Observation>'),
    # A resource in a resource.
    ({"resourceType": "Bundle", "type": "collection", "total": 1, "entry": [
        {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Basic", "contained": [
            {"resourceType": "Basic", "id": "c"}], "code": {"text": "x"}}}]},
     f'<Bundle {F}><type value="collection"/><total value="1"/><entry><fullUrl value="urn:uuid:1"/><resource><Basic>'
     '<contained><Basic><id value="c"/></Basic></contained><code><text value="x"/></code></Basic></resource></entry>'
     '</Bundle>'),
    # What has its content elsewhere in the definitions: Questionnaire.item.item.
    ({"resourceType": "Questionnaire", "status": "draft", "item": [
        {"linkId": "1", "type": "group", "item": [{"linkId": "2", "type": "display"}]}]},
     f'<Questionnaire {F}><status value="draft"/><item><linkId value="1"/><type value="group"/><item>'
     '<linkId value="2"/><type value="display"/></item></item></Questionnaire>'),
    # A narrative is text: to the letter, comments and all.
    ({"resourceType": "Basic", "text": {
        "status": "generated", "div": f"<div {H}>1 &lt; 2<!-- c --> <br/>\n&#160;</div>"}, "code": {"text": "x"}},
     f'<Basic {F}><text><status value="generated"/><div {H}>1 &lt; 2<!-- c --> <br/>\n&#160;</div></text>'
     '<code><text value="x"/></code></Basic>'),
])
def test_a_resource_is_the_same_in_json_and_xml(resource: dict[str, Any], xml: str) -> None:
    assert XML.write(resource).decode() == HEAD + xml
    assert _same(XML.read(xml.encode()), resource)


@pytest.mark.parametrize("xml, resource", [
    # What people write: white space, comments, prefixes, other quotes, a mark of byte order, schema locations.
    (f"\ufeff<?xml version='1.0'?>\n<!-- x -->\n<Basic {F}>\n  <!-- y -->\n  <id value='b'/>\n</Basic>\n",
     {"resourceType": "Basic", "id": "b"}),
    ('<f:Basic xmlns:f="http://hl7.org/fhir"><f:id value="b"></f:id></f:Basic>', {"resourceType": "Basic", "id": "b"}),
    (f'<Basic {F} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"/>',
     {"resourceType": "Basic"}),
    (f'<Basic {F}><id value="&#x5C71;&amp;"/></Basic>', {"resourceType": "Basic", "id": "山&"}),
    (f'<Basic {F}><text><div {H} title="a>b"/></text></Basic>',
     {"resourceType": "Basic", "text": {"div": f'<div {H} title="a>b"/>'}}),
    (f'<Basic {F}><text><div {H}>山<div>x</div></div ></text></Basic>',
     {"resourceType": "Basic", "text": {"div": f'<div {H}>山<div>x</div></div >'}}),
])
def test_xml_is_read_as_people_write_it(xml: str, resource: dict[str, Any]) -> None:
    assert XML.read(xml.encode()) == resource


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
NO_TYPES = "A document type (DTD) is not accepted: FHIR's XML has none."


@pytest.mark.parametrize("xml, status, text, expression", [
    (f'{BOMB}<Basic {F}><id value="&b;"/></Basic>', 400, NO_TYPES, None),
    (f'{EXTERNAL}<Basic {F}><id value="&a;"/></Basic>', 400, NO_TYPES, None),
    (f'<!DOCTYPE Basic SYSTEM "http://example.org/x.dtd"><Basic {F}/>', 400, NO_TYPES, None),
    (f'<Basic {F}><id value="&nbsp;"/></Basic>', 400, "This is not well-formed XML: undefined entity, line 1.", None),
    (f"<Basic {F}>\n<id value='1'>\n</Basic>", 400, "This is not well-formed XML: mismatched tag, line 3.", None),
    ("", 400, "This is not well-formed XML: no element found, line 1.", None),
    (f'<?xml version="1.0" encoding="Shift_JIS"?><Basic {F}/>', 400,
     "The XML is declared as Shift_JIS; FHIR is UTF-8.", None),
    ("<Basic/>", 400, "Line 1: <Basic> of the namespace '' is no resource of FHIR R4.", None),
    (f"<Nonsense {F}/>", 400,
     "Line 1: <Nonsense> of the namespace 'http://hl7.org/fhir' is no resource of FHIR R4.", None),
    (f"<Patient {F}>\n<name>\n<color value='x'/></name></Patient>", 400,
     "Line 3: <color> of the namespace 'http://hl7.org/fhir' is no element of HumanName.", "Patient.name[0]"),
    (f"<Patient {F}><name/><name><given value='a'/><given><extension/></given><x/></name></Patient>", 400,
     "Line 1: <x> of the namespace 'http://hl7.org/fhir' is no element of HumanName.", "Patient.name[1]"),
    (f'<Patient {F}><active value="yes"/></Patient>', 400, "Line 1: 'yes' is no boolean.", "Patient.active"),
    (f'<Patient {F}><active value="true"/><active value="true"/></Patient>', 400,
     "Line 1: <active> stands twice.", "Patient"),
    (f'<Patient {F}><active/></Patient>', 400,
     "Line 1: <active> has neither a value nor an extension.", "Patient"),
    (f'<Patient {F}><active colour="red"/></Patient>', 400,
     "Line 1: <active> has no attribute colour.", "Patient.active"),
    (f'<Patient {F}>hello</Patient>', 400, "Line 1: the text 'hello' stands outside of an attribute.", "Patient"),
    (f'<Patient {F}><contained/></Patient>', 400, "Line 1: <contained> holds no resource.", "Patient"),
    (f'<Patient {F}><contained><Basic/><Basic/></contained></Patient>', 400,
     "Line 1: <Basic> is a second resource where one can stand.", "Patient.contained[0]"),
    (f'<Basic {F}><text><div>x</div></text></Basic>', 400,
     "Line 1: <div> of the namespace 'http://hl7.org/fhir' is no element of Narrative.", "Basic.text"),
    (f'<Basic {F} xmlns:h="http://www.w3.org/1999/xhtml"><text><h:div>x</h:div></text></Basic>', 400,
     "Line 1: a narrative is a <div> without prefix, which declares the namespaces it uses itself.", "Basic.text"),
    (f'<Basic {F}>{"<extension>" * 300}{"</extension>" * 300}</Basic>', 400,
     "Line 1: the XML is nested deeper than 200 elements.", "Basic" + ".extension[0]" * 199),
    *((f'<Observation {F}><valueQuantity><value value="{value}"/></valueQuantity></Observation>', 400,
       f"Line 1: {value[:60]!r} is no decimal.", "Observation.valueQuantity.value")
      for value in ("1_0", "NaN", "Infinity", "1,5", "", "01", ".5", "１", "1" * 1001)),
])
def test_what_is_not_fhir_is_refused_with_line_and_element(
    xml: str, status: int, text: str, expression: str | None
) -> None:
    with pytest.raises(FHIRError) as refused:
        XML.read(xml.encode())
    [issue] = refused.value.issues
    assert (refused.value.status, issue.text, issue.expression) == (status, text, expression)


@pytest.mark.parametrize("stored, shown", [
    ("<div>no namespace</div>", f"<div {H}>no namespace</div>"),
    ("<div>a<br>b</div>", f"<div {H}>&lt;div&gt;a&lt;br&gt;b&lt;/div&gt;</div>"),
    (f"<div {H}></div></text><active value=\"true\"/><text><div {H}></div>",
     f"<div {H}>&lt;div xmlns=&quot;http://www.w3.org/1999/xhtml&quot;&gt;&lt;/div&gt;&lt;/text&gt;&lt;active "
     "value=&quot;true&quot;/&gt;&lt;text&gt;&lt;div xmlns=&quot;http://www.w3.org/1999/xhtml&quot;&gt;&lt;/div&gt;"
     "</div>"),
    ('<!DOCTYPE x [<!ENTITY a "b">]><div>&a;</div>',
     f"<div {H}>&lt;!DOCTYPE x [&lt;!ENTITY a &quot;b&quot;&gt;]&gt;&lt;div&gt;&amp;a;&lt;/div&gt;</div>"),
])
def test_a_narrative_that_is_no_xhtml_cannot_break_out(stored: str, shown: str) -> None:
    written = XML.write({"resourceType": "Basic", "text": {"div": stored}}).decode()
    assert written == f"{HEAD}<Basic {F}><text>{shown}</text></Basic>"


@settings(max_examples=50)
@given(st.text(min_size=1), st.text(alphabet="0123456789", min_size=1, max_size=30))
def test_any_text_and_any_digits_come_back(text: str, digits: str) -> None:
    """All but what XML cannot hold."""
    resource = {"resourceType": "Basic", "code": {"text": text}, "extension": [
        {"url": "urn:x", "valueDecimal": Decimal(f"0.{digits}")}]}
    held = "".join(one if _can_be(one) else "\ufffd" for one in text)
    assert _same(XML.read(XML.write(resource)), {**resource, "code": {"text": held}})


def _can_be(one: str) -> bool:
    return one in "\t\n\r" or one >= " " and not "\ud800" <= one <= "\udfff" and one not in "\ufffe\uffff"


def test_xml_for_people_has_a_line_for_each_element() -> None:
    resource = {"resourceType": "Basic", "id": "b", "code": {"text": "x"}}
    assert XML.write(resource, pretty=True).decode() == "\n".join([
        HEAD, f"<Basic {F}>", '  <id value="b"/>', "  <code>", '    <text value="x"/>', "  </code>", "</Basic>"])
    assert XML.read(XML.write(resource, pretty=True)) == resource
