"""The benchmarks send the same valid resources at every run."""

from decimal import Decimal
from typing import Any

import pytest

from benchmarks import patients
from fhir_server.definitions import registry
from fhir_server.fhirjson import decode, encode
from fhir_server.validation.structure import Validator


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator(registry.load())


def as_sent(resource: dict[str, Any]) -> Any:
    return decode(encode(resource))


def test_every_run_makes_the_same_patients() -> None:
    assert patients.bundle(7, 300) == patients.bundle(7, 300)
    assert patients.bundle(7, 300) != patients.bundle(8, 300)


def test_each_entry_is_valid(validator: Validator) -> None:
    for entry in as_sent(patients.bundle(1, 400))["entry"]:
        validator.check(entry["resource"])


def test_a_bundle_states_the_types_of_a_hospital() -> None:
    types = {entry["resource"]["resourceType"] for entry in patients.bundle(1, 400)["entry"]}
    assert types == {"Patient", "Encounter", *patients.STATED}


@pytest.mark.parametrize("entries", [1, 2, 100, 2600])
def test_a_bundle_has_as_many_entries_as_asked(entries: int) -> None:
    assert len(patients.bundle(3, entries)["entry"]) == entries


def test_each_reference_is_an_entry_of_the_bundle() -> None:
    bundle = patients.bundle(5, 200)
    urls = {entry["fullUrl"] for entry in bundle["entry"]}
    assert set(references(bundle)) <= urls and len(urls) == 200


def references(node: Any) -> list[str]:
    if isinstance(node, list):
        return [found for one in node for found in references(one)]
    if isinstance(node, dict):
        own = [node["reference"]] if "reference" in node else []
        return own + [found for one in node.values() for found in references(one)]
    return []


def test_sizes_span_the_whole_range() -> None:
    assert patients.sizes(5) == [100, 226, 510, 1151, 2600]


def test_a_patient_has_the_size_of_a_usual_resource() -> None:
    assert 1500 <= len(encode(patients.patient(patients.random(1)))) <= 1900


def test_values_are_short_decimals() -> None:
    values = [entry["resource"]["valueQuantity"]["value"] for entry in as_sent(patients.bundle(2, 200))["entry"]
              if "valueQuantity" in entry["resource"]]
    assert all(len(str(value)) <= 5 for value in values) and any(isinstance(value, Decimal) for value in values)
