import re

from hypothesis import given
from hypothesis import strategies as st

from adapters.identity import Names, organization_id, patient_id, reference, resource_id

KEYS = st.lists(st.text(), min_size=1, max_size=4)


def test_an_id_is_the_facility_and_a_digest_of_the_whole_key() -> None:
    assert resource_id("Patient", "1119999991", "0000100001") == "1119999991-54jswse3svtaozf52xlghsstiq"


def test_the_patient_of_one_number_is_one_whatever_the_feed() -> None:
    assert patient_id("1119999991", "0000100001") == resource_id("Patient", "1119999991", "0000100001")


def test_the_same_number_of_two_facilities_or_two_authorities_is_two_patients() -> None:
    ids = {
        patient_id("1119999991", "0000100001"),
        patient_id("1119999992", "0000100001"),
        patient_id("1119999991", "0000100001", "OTHER"),
        patient_id("1119999991", "100001"),
    }
    assert len(ids) == 4


@given(KEYS)
def test_every_id_is_one_that_fhir_allows(key: list[str]) -> None:
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", resource_id("AllergyIntolerance", "1119999991", *key))


@given(KEYS, KEYS)
def test_another_key_is_another_id(one: list[str], other: list[str]) -> None:
    same = resource_id("Observation", "1119999991", *one) == resource_id("Observation", "1119999991", *other)
    assert same == (one == other)


def test_two_things_of_one_name_in_a_message_are_two_and_the_same_two_again() -> None:
    first, again = Names("1119999991"), Names("1119999991")
    ids = [first.id("Observation", "glucose"), first.id("Observation", "glucose")]
    assert ids[0] == resource_id("Observation", "1119999991", "glucose")
    assert ids[0] != ids[1]
    assert ids == [again.id("Observation", "glucose"), again.id("Observation", "glucose")]


def test_a_reference_names_type_and_id() -> None:
    organization = {"resourceType": "Organization", "id": organization_id("1119999991")}
    assert reference(organization) == {"reference": f"Organization/{organization_id('1119999991')}"}
