"""https://hl7.org/fhir/R4/search.html#token"""

from typing import Any

import pytest

from fhir_server.outcome import BadRequest, NotSupported
from tests.fhir_server.search.conftest import Search


def observation(id: str, **content: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, **content}


LOINC, JLAC = "http://loinc.org", "urn:oid:1.2.392.200119.4.504"
OBSERVATIONS = [
    observation("loinc", code={"coding": [{"system": LOINC, "code": "8480-6"}]}),
    observation("jlac", code={"coding": [{"system": JLAC, "code": "8480-6"}]}, status="amended"),
    observation("bare", code={"coding": [{"code": "8480-6"}]}),
    observation("two", code={"coding": [{"system": LOINC, "code": "1"}, {"system": JLAC, "code": "2"}]}),
    observation("component", component=[{"code": {"coding": [{"system": LOINC, "code": "8462-4"}]}}]),
    observation("odd", code={"coding": [{"system": "urn:s", "code": "a|b,c$d\\e"}]}),
    observation("nul", code={"coding": [{"system": "urn:s", "code": "$ne"}]}),
]


@pytest.mark.parametrize("query, found", [
    ("code=8480-6", ["bare", "jlac", "loinc"]),
    ("code=http://loinc.org|8480-6", ["loinc"]),
    ("code=|8480-6", ["bare"]),
    ("code=http://loinc.org|", ["two", "loinc"]),
    ("code=http://loinc.org|1&code=2", ["two"]),
    ("code=http://loinc.org|2", []),
    ("code=1,http://loinc.org|8480-6", ["two", "loinc"]),
    ("code=8480", []),
    ("code=a\\|b\\,c\\$d\\\\e", ["odd"]),
    ("code=urn:s|a\\|b\\,c\\$d\\\\e", ["odd"]),
    ("code=a", []),
    ("code=$ne", ["nul"]),
    ("code=%00", []),
    ("code=.*", []),
    ("code:not=8480-6", ["nul", "odd", "component", "two"]),
    ("code:not=8480-6,1&code:not=$ne", ["odd", "component"]),
    ("code:missing=true", ["component"]),
    ("code:missing=false&status:not=final", ["jlac"]),
    ("combo-code=8462-4,1", ["component", "two"]),
    ("component-code=http://loinc.org|8462-4", ["component"]),
    ("status=amended", ["jlac"]),
    ("status=http://hl7.org/fhir/observation-status|amended", ["jlac"]),
    ("status=http://example.org/other|amended", []),
])
def test_codes_are_found_by_code_and_by_system(search: Search, query: str, found: list[str]) -> None:
    assert search(OBSERVATIONS, f"Observation?{query}") == found


PATIENTS: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "taro", "active": True, "gender": "male",
     "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.11119999991", "value": "0000012345"}],
     "telecom": [{"system": "phone", "value": "03-1234-5678"}, {"system": "email", "value": "taro@example.jp"}]},
    {"resourceType": "Patient", "id": "hanako", "active": False, "gender": "female", "deceasedDateTime": "2020-01-01",
     "identifier": [{"value": "0000012345"}], "telecom": [{"system": "fax", "value": "03-1234-5678"}]},
    {"resourceType": "Patient", "id": "jiro", "deceasedBoolean": False},
]


@pytest.mark.parametrize("query, found", [
    ("identifier=0000012345", ["hanako", "taro"]),
    ("identifier=urn:oid:1.2.392.100495.20.3.51.11119999991|0000012345", ["taro"]),
    ("identifier=|0000012345", ["hanako"]),
    ("identifier:not=0000012345", ["jiro"]),
    ("active=true", ["taro"]),
    ("active=false", ["hanako"]),
    ("gender=male,female", ["hanako", "taro"]),
    ("phone=03-1234-5678", ["taro"]),
    ("telecom=03-1234-5678", ["hanako", "taro"]),
    ("email=taro@example.jp", ["taro"]),
    ("email=03-1234-5678", []),
    ("email:missing=true", ["jiro", "hanako"]),
    ("deceased=true", ["hanako"]),
    ("deceased=false", ["jiro", "taro"]),
])
def test_identifiers_booleans_and_contact_points_are_tokens(search: Search, query: str, found: list[str]) -> None:
    assert search(PATIENTS, f"Patient?{query}") == found


COUNTRY = "http://example.org/CodeSystem/disease"
TERMS: list[dict[str, Any]] = [
    {"resourceType": "CodeSystem", "id": "tree", "status": "active", "content": "complete", "url": COUNTRY, "concept": [
        {"code": "infection", "concept": [{"code": "flu", "concept": [{"code": "flu-a"}]}, {"code": "cold"}]},
        {"code": "injury", "property": [{"code": "child", "valueCode": "burn"}]},
        {"code": "burn"}, {"code": "scald", "property": [{"code": "parent", "valueCode": "burn"}]}]},
    {"resourceType": "ValueSet", "id": "flus", "status": "active", "url": "http://example.org/ValueSet/flus",
     "compose": {"include": [{"system": COUNTRY, "filter": [{"property": "concept", "op": "is-a", "value": "flu"}]}]}},
    {"resourceType": "ValueSet", "id": "mixed", "status": "active", "url": "http://example.org/ValueSet/mixed",
     "compose": {"include": [{"valueSet": ["http://example.org/ValueSet/flus"]},
                             {"system": "urn:other", "concept": [{"code": "flu"}]}]}},
    {"resourceType": "ValueSet", "id": "many", "status": "active", "url": "http://example.org/ValueSet/many",
     "compose": {"include": [{"system": COUNTRY, "concept": [{"code": f"x{n}"} for n in range(500)] + [{"code": "cold"}]
                              }]}},
    {"resourceType": "ValueSet", "id": "expanded", "status": "active", "url": "http://example.org/ValueSet/expanded",
     "expansion": {"timestamp": "2024-01-01", "contains": [
         {"system": COUNTRY, "code": "flu", "contains": [{"system": COUNTRY, "code": "flu-a"}]}]}},
    {"resourceType": "ValueSet", "id": "round", "status": "active", "url": "http://example.org/ValueSet/round",
     "compose": {"include": [{"valueSet": ["http://example.org/ValueSet/round"]}]}},
]


def condition(id: str, system: str, code: str, **content: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": id, "subject": {"reference": "Patient/p"},
            "code": {"coding": [{"system": system, "code": code}]}, **content}


CONDITIONS = [condition("a", COUNTRY, "flu-a"), condition("flu", COUNTRY, "flu"), condition("cold", COUNTRY, "cold"),
              condition("scald", COUNTRY, "scald"), condition("other", "urn:other", "flu")]


@pytest.mark.parametrize("query, found", [
    ("code:below=http://example.org/CodeSystem/disease|infection", ["cold", "flu", "a"]),
    ("code:below=http://example.org/CodeSystem/disease|flu-a", ["a"]),
    ("code:below=http://example.org/CodeSystem/disease|injury", ["scald"]),
    ("code:above=http://example.org/CodeSystem/disease|flu-a", ["flu", "a"]),
    ("code:above=http://example.org/CodeSystem/disease|scald", ["scald"]),
    ("code:below=http://example.org/CodeSystem/disease|unheard", []),
    ("code:in=http://example.org/ValueSet/flus", ["flu", "a"]),
    ("code:in=http://example.org/ValueSet/mixed", ["other", "flu", "a"]),
    ("code:in=http://example.org/ValueSet/expanded", ["flu", "a"]),
    ("code:in=http://example.org/ValueSet/many", ["cold"]),
    ("code:in=http://example.org/ValueSet/many,http://example.org/ValueSet/expanded", ["cold", "flu", "a"]),
    ("code:not-in=http://example.org/ValueSet/flus", ["other", "scald", "cold"]),
    ("code:not-in=http://example.org/ValueSet/many", ["other", "scald", "flu", "a"]),
])
def test_codes_are_found_by_value_sets_and_hierarchies(search: Search, query: str, found: list[str]) -> None:
    assert search([*TERMS, *CONDITIONS], f"Condition?{query}") == found


@pytest.mark.parametrize("query, found", [
    ("gender:in=http://hl7.org/fhir/ValueSet/administrative-gender", ["hanako", "taro"]),
    ("gender:not-in=http://hl7.org/fhir/ValueSet/administrative-gender", ["jiro"]),
    ("gender:in=http://hl7.org/fhir/ValueSet/observation-status", []),
])
def test_codes_of_the_standard_are_known(search: Search, query: str, found: list[str]) -> None:
    assert search(PATIENTS, f"Patient?{query}") == found


@pytest.mark.parametrize("query, error, text", [
    ("code:in=http://example.org/ValueSet/none", NotSupported,
     "code: the codes of the value set 'http://example.org/ValueSet/none' cannot be listed here."),
    ("code:in=http://example.org/ValueSet/round", NotSupported,
     "code: the codes of the value set 'http://example.org/ValueSet/round' cannot be listed here."),
    ("code:below=urn:none|x", NotSupported, "code: what is above and below 'urn:none|x' is not known here."),
    ("code:below=flu", BadRequest, "code:below is system|code, not 'flu'."),
    ("code:above=|flu", BadRequest, "code:above is system|code, not '|flu'."),
    ("code:of-type=urn:t|MR|1", NotSupported, "code has no identifiers: :of-type does not fit."),
    ("identifier:of-type=MR|1", BadRequest,
     "identifier:of-type is system|code|value of an identifier's type, not 'MR|1'."),
    ("code:exact=x", NotSupported,
     "code does not support :exact, only :not, :text, :of-type, :in, :not-in, :above, :below, :missing."),
])
def test_what_cannot_be_answered_is_refused(search: Search, query: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as refused:
        search(TERMS, f"Condition?{query}")
    assert str(refused.value) == text


V2 = "http://terminology.hl7.org/CodeSystem/v2-0203"
PEOPLE: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "record", "identifier": [
        {"system": "urn:h", "value": "12345", "type": {"coding": [{"system": V2, "code": "MR"}], "text": "カルテ番号"}}]},
    {"resourceType": "Patient", "id": "licence", "identifier": [
        {"system": "urn:h", "value": "12345", "type": {"coding": [{"system": V2, "code": "DL"}]}},
        {"system": "urn:h", "value": "999", "type": {"coding": [{"system": V2, "code": "MR"}]}}]},
    {"resourceType": "Patient", "id": "bare", "identifier": [{"system": "urn:h", "value": "12345"}]},
]


@pytest.mark.parametrize("query, found", [
    (f"identifier:of-type={V2}|MR|12345", ["record"]),
    (f"identifier:of-type={V2}|DL|12345", ["licence"]),
    (f"identifier:of-type={V2}|MR|999", ["licence"]),
    (f"identifier:of-type={V2}|XX|12345", []),
    ("identifier:text=カルテ", ["record"]),
])
def test_identifiers_are_found_by_their_type(search: Search, query: str, found: list[str]) -> None:
    assert search(PEOPLE, f"Patient?{query}") == found
