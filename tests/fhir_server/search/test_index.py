"""What is stored for a search, and how much of it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_server.definitions.registry import load
from fhir_server.fhirjson import decode
from fhir_server.outcome import TooLarge
from fhir_server.search.index import LIMIT, Index, supported
from fhir_server.store.document import SearchValues
from tests.r4_examples import examples

UPDATED = datetime(2026, 4, 1, tzinfo=UTC)
INDEX = Index(load())


def test_an_observation_is_found_by_these_keys() -> None:
    observation: dict[str, Any] = {
        "resourceType": "Observation",
        "id": "o1",
        "meta": {"tag": [{"system": "urn:tags", "code": "t"}]},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
        "subject": {"reference": "Patient/p1"},
        "effectivePeriod": {"start": "2024-05-01T09:00:00+09:00", "end": "2024-05-03"},
        "valueQuantity": {"value": Decimal("120.50"), "unit": "mmHg", "system": "http://unitsofmeasure.org",
                          "code": "mm[Hg]"},
    }
    assert INDEX.values(observation, UPDATED) == SearchValues(
        keys=(
            "_",
            "_tag=t",
            "_tag=urn:tags|t",
            "code=8480-6",
            "code=http://loinc.org|8480-6",
            "date=20240501T000000000",
            "date=20240503T145959999",
            "status=final",
            "subject=Patient/p1",
            "value-quantity:g.m-1.s-2=205000716065301",
            "value-quantity=20500021205",
        ),
        date=datetime(2024, 5, 1, tzinfo=UTC),
        recheck=[
            {"p": "date", "lo": "20240501T000000000", "hi": "20240503T145959999"},
            {"p": "value-quantity", "lo": "20500021205", "hi": "20500021205", "s": "http://unitsofmeasure.org",
             "c": "mm[Hg]", "u": "mmHg"},
        ],
        sortable={"code": "8480-6", "status": "final", "value-quantity": "205000716065301"},
        hash=INDEX.hash("Observation"),
    )


def test_names_are_stored_folded_and_as_written() -> None:
    patient = {"resourceType": "Patient", "id": "p", "name": [{"family": "ﾔﾏﾀﾞ", "given": ["太郎"]}]}
    assert INDEX.values(patient, UPDATED).keys == (
        "_", "_c=タ太", "_c=マタ", "_c=ヤマ", "_c=太郎", "deceased=false", "family=ヤマタ\x1fﾔﾏﾀﾞ", "given=太郎\x1f",
        "name=ヤマタ\x1fﾔﾏﾀﾞ", "name=ヤマタ太郎\x1f\x1f", "name=太郎\x1f")


def test_a_type_without_clinical_date_goes_by_its_last_update() -> None:
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1960-01-01"}
    assert INDEX.values(patient, UPDATED).date == UPDATED


@pytest.mark.parametrize("type, content", [
    ("Observation", {"effectiveDateTime": "2024-05-01T09:00:00+09:00"}),
    ("MedicationRequest", {"authoredOn": "2024-05-01T09:00:00+09:00"}),
    ("Condition", {"recordedDate": "2024-05-01T09:00:00+09:00"}),
    ("Encounter", {"period": {"start": "2024-05-01T09:00:00+09:00"}}),
    ("Consent", {"dateTime": "2024-05-01T09:00:00+09:00"}),
    ("CarePlan", {"period": {"start": "2024-05-01T09:00:00+09:00"}}),
    ("DiagnosticReport", {"effectivePeriod": {"start": "2024-05-01T09:00:00+09:00"}}),
])
def test_the_clinical_date_of_a_type_is_its_main_one(type: str, content: dict[str, Any]) -> None:
    assert INDEX.values({"resourceType": type, "id": "x", **content}, UPDATED).date == datetime(2024, 5, 1, tzinfo=UTC)


def test_official_examples_have_at_most_sixteen_keys_on_average_words_of_their_text_apart() -> None:
    counts = [len([key for key in INDEX.values(decode(raw), UPDATED).keys if not key.startswith(("_c=", "_g=", "_t="))])
              for _, raw in examples()]
    assert sum(counts) / len(counts) <= 12


def test_a_key_is_never_longer_than_a_digest_allows() -> None:
    system = {"resourceType": "Basic", "id": "b", "code": {"coding": [{"system": "urn:s", "code": "x" * 100_000}]}}
    assert max(map(len, INDEX.values(system, UPDATED).keys)) == 1065


def test_the_hash_tells_one_set_of_parameters_from_another() -> None:
    assert INDEX.hash("Observation") != INDEX.hash("Condition") == INDEX.hash("Condition")


def test_consent_is_searched_by_these_parameters() -> None:
    assert {one.code: one.type for one in supported("Consent", load())} == {
        "_content": "string", "_id": "token", "_lastUpdated": "date", "_profile": "uri", "_security": "token",
        "_source": "uri", "_tag": "token", "_text": "string", "action": "token", "actor": "reference",
        "category": "token", "consentor": "reference", "data": "reference", "date": "date",
        "identifier": "token", "organization": "reference", "patient": "reference", "period": "date",
        "purpose": "token", "scope": "token", "security-label": "token", "source-reference": "reference",
        "status": "token",
    }


MEMBERS = [{"entity": {"reference": f"Patient/{number}"}} for number in range(LIMIT)]
COMPONENTS = [{"valueQuantity": {"value": 1}}] * LIMIT


@pytest.mark.parametrize("resource", [
    {"resourceType": "Group", "id": "g", "member": MEMBERS},
    {"resourceType": "Observation", "id": "o", "component": COMPONENTS},
])
def test_more_than_one_resource_may_have_in_the_index_is_refused(resource: dict[str, Any]) -> None:
    with pytest.raises(TooLarge) as refused:
        INDEX.values(resource, UPDATED)
    assert str(refused.value) == f"The {resource['resourceType']} has more than 5000 values that a search may ask for."


@pytest.mark.parametrize("resource, keys", [
    ({"resourceType": "Condition", "onsetRange": {"low": {
        "value": Decimal("1e1000000"), "system": "http://unitsofmeasure.org", "code": "a"}}},
     ("_", "onset-age=20999991", "onset-age=3")),
    ({"resourceType": "Location", "position": {"latitude": Decimal("1e400"), "longitude": Decimal(1)}}, ("_",)),
    ({"resourceType": "Observation", "effectiveDateTime": "0001-01-01T00:00:00+14:00"},
     ("_", "date=00010101T000000000")),
    ({"resourceType": "Basic", "text": {"status": "generated", "div": "<" * 80_000}}, ("_",)),
], ids=["range", "position", "date", "narrative"])
def test_the_extremes_of_what_is_valid_are_indexed_at_once(resource: dict[str, Any], keys: tuple[str, ...]) -> None:
    values = Index(load()).values({**resource, "id": "x"}, datetime(2026, 4, 1, tzinfo=UTC))
    assert values.keys == keys
