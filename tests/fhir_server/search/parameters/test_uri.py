"""https://hl7.org/fhir/R4/search.html#uri"""

from typing import Any

import pytest

from tests.fhir_server.search.conftest import Search

VALUE_SETS: list[dict[str, Any]] = [
    {"resourceType": "ValueSet", "id": "a", "status": "draft", "url": "http://example.org/fhir/ValueSet/a",
     "meta": {"profile": ["http://example.org/profile"], "source": "urn:ssmix2:1119999991:x"}},
    {"resourceType": "ValueSet", "id": "ab", "status": "draft", "url": "http://example.org/fhir/ValueSet/ab"},
    {"resourceType": "ValueSet", "id": "none", "status": "draft"},
    {"resourceType": "ValueSet", "id": "top", "status": "draft", "url": "http://example.org/fhir/"},
    {"resourceType": "ValueSet", "id": "oid", "status": "draft", "url": "urn:oid:1.2.392"},
]


@pytest.mark.parametrize("query, found", [
    ("url=http://example.org/fhir/ValueSet/a", ["a"]),
    ("url=http://example.org/fhir/ValueSet/", []),
    ("url=HTTP://example.org/fhir/ValueSet/a", []),
    ("url=http://example.org/fhir/ValueSet/a,http://example.org/fhir/ValueSet/ab", ["ab", "a"]),
    ("url:missing=true", ["none"]),
    ("url:below=http://example.org/fhir/", ["top", "ab", "a"]),
    ("url:below=http://example.org/fhir/ValueSet/a", ["ab", "a"]),
    ("url:below=http://example.org/fhir/ValueSet/ab", ["ab"]),
    ("url:below=urn:oid:1.2", ["oid"]),
    ("url:above=http://example.org/fhir/ValueSet/a/_history/5", ["top", "a"]),
    ("url:above=http://example.org/fhir/ValueSet/a", ["top", "a"]),
    ("url:above=http://example.org/fhir/ValueSet/abc", ["top"]),
    ("url:above=urn:oid:1.2.392.100495", ["oid"]),
    ("url:above=urn:oid:1.2.3920", []),
    ("_profile:below=http://example.org/", ["a"]),
    ("_profile=http://example.org/profile", ["a"]),
    ("_source=urn:ssmix2:1119999991:x", ["a"]),
])
def test_addresses_match_as_a_whole(search: Search, query: str, found: list[str]) -> None:
    assert search(VALUE_SETS, f"ValueSet?{query}") == found
