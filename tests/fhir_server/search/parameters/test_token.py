"""https://hl7.org/fhir/R4/search.html#token"""

from typing import Any

import pytest

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
