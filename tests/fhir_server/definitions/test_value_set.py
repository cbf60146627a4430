"""Value sets are listed where the package holds their code systems, and left out where it does not."""

from typing import Any

import pytest

from fhir_server.definitions.value_set import expansions

COLOURS = {
    "url": "urn:colours",
    "content": "complete",
    "concept": [
        {"code": "red", "concept": [{"code": "crimson"}, {"code": "scarlet", "concept": [{"code": "deep"}]}]},
        {"code": "blue"},
    ],
}
ELSEWHERE = {"url": "urn:elsewhere", "content": "not-present"}
REDS = {"url": "urn:vs:reds", "compose": {"include": [
    {"system": "urn:colours", "filter": [{"property": "concept", "op": "is-a", "value": "red"}]}]}}


@pytest.mark.parametrize("compose, listed", [
    ({"include": [{"system": "urn:colours"}]}, {"urn:colours": ("blue", "crimson", "deep", "red", "scarlet")}),
    ({"include": [{"system": "urn:x", "concept": [{"code": "b"}, {"code": "a"}]}]}, {"urn:x": ("a", "b")}),
    ({"include": [{"valueSet": ["urn:vs:reds"]}]}, {"urn:colours": ("crimson", "deep", "red", "scarlet")}),
    ({"include": [{"system": "urn:colours", "filter": [{"property": "concept", "op": "is-a", "value": "scarlet"}]}]},
     {"urn:colours": ("deep", "scarlet")}),
    ({"include": [{"system": "urn:colours"}], "exclude": [{"valueSet": ["urn:vs:reds|1"]}]},
     {"urn:colours": ("blue",)}),
    ({"include": [{"system": "urn:colours", "valueSet": ["urn:vs:reds"],
                   "concept": [{"code": "red"}, {"code": "blue"}]}]}, {"urn:colours": ("red",)}),
    ({"include": [{"system": "urn:x", "concept": [{"code": "a"}]}, {"system": "urn:y", "concept": [{"code": "a"}]}]},
     {"urn:x": ("a",), "urn:y": ("a",)}),
])
def test_a_value_set_is_listed_by_code_system(compose: dict[str, Any], listed: dict[str, tuple[str, ...]]) -> None:
    value_set = {"url": "urn:vs", "compose": compose}
    assert expansions(["urn:vs"], [value_set, REDS], [COLOURS, ELSEWHERE]) == {"urn:vs": listed}


@pytest.mark.parametrize("compose", [
    {"include": [{"system": "urn:unknown"}]},
    {"include": [{"system": "urn:elsewhere"}]},
    {"include": [{"system": "urn:colours", "filter": [{"property": "code", "op": "regex", "value": ".*"}]}]},
    {"include": [{"system": "urn:colours"}, {"valueSet": ["urn:vs:unknown"]}]},
])
def test_what_cannot_be_listed_whole_is_left_out(compose: dict[str, Any]) -> None:
    assert expansions(["urn:vs"], [{"url": "urn:vs", "compose": compose}], [COLOURS, ELSEWHERE]) == {}


def test_a_value_set_that_the_package_lacks_is_left_out() -> None:
    assert expansions(["urn:vs:unknown"], [], []) == {}
