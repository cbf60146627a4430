"""What the store promises: versions, history, tombstones, counts, whose data it holds."""

import pytest

from fhir_server.outcome import Unavailable
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import Write
from fhir_server.store.error import StoreError
from fhir_server.store.find import Found
from fhir_server.store.plan import Plan
from fhir_server.store.store import Raced, Store
from tests.conftest import DATABASE
from tests.fhir_server.store.versions import history, observation, patient, shown, tombstone


def test_what_is_created_is_read_back(store: Store) -> None:
    store.write([Write(None, patient(1))])
    assert store.get("Patient", "p1", UNRESTRICTED) == shown(patient(1))
    assert store.get("Patient", "p2", UNRESTRICTED) is None
    assert store.get("Observation", "p1", UNRESTRICTED) is None


def test_many_are_read_at_once(store: Store) -> None:
    store.write([Write(None, patient(1, "a")), Write(None, patient(1, "b")), Write(None, observation(1, "a"))])
    assert store.get_many({"Patient": ["a", "b", "c"], "Observation": ["a"]}, UNRESTRICTED) == {
        ("Patient", "a"): shown(patient(1, "a")),
        ("Patient", "b"): shown(patient(1, "b")),
        ("Observation", "a"): shown(observation(1, "a")),
    }


def test_an_id_in_use_cannot_be_created_again(store: Store) -> None:
    store.write([Write(None, patient(1))])
    with pytest.raises(Raced):
        store.write([Write(None, patient(1))])


def test_an_update_keeps_the_old_version(store: Store) -> None:
    store.write([Write(None, patient(1))])
    store.write([Write(patient(1), patient(2))])
    assert store.get("Patient", "p1", UNRESTRICTED) == shown(patient(2))
    assert [store.version("Patient", "p1", number, UNRESTRICTED) for number in (0, 1, 2, 3)] == [
        None, shown(patient(1)), shown(patient(2)), None]


def test_an_update_of_what_is_no_longer_live_changes_nothing(store: Store) -> None:
    store.write([Write(None, patient(1))])
    store.write([Write(patient(1), patient(2))])
    with pytest.raises(Raced):
        store.write([Write(patient(1), patient(2, source="1319999999"))])
    assert history(store) == [shown(patient(2)), shown(patient(1))]


def test_a_deleted_resource_is_a_tombstone_and_may_come_back(store: Store) -> None:
    store.write([Write(None, patient(1))])
    store.write([Write(patient(1), tombstone(2))])
    assert store.get("Patient", "p1", UNRESTRICTED) == tombstone(2)
    store.write([Write(tombstone(2), patient(3))])
    assert history(store) == [shown(patient(3)), tombstone(2), shown(patient(1))]


def test_the_source_is_searchable_and_tombstones_are_not_found(store: Store) -> None:
    store.write([Write(None, patient(1)), Write(None, patient(1, "p2")), Write(None, patient(1, "p3", source="x"))])
    store.write([Write(patient(1, "p2"), tombstone(2, "p2"))])
    plan = Plan("Patient", keys=[["_src=1310000001"]])
    assert store.find(plan).rows == [Found("p1", 1, patient(1).updated.replace(tzinfo=None), patient(1).raw)]
    assert store.count(plan) == 1
    assert store.count(Plan("Observation")) == 0


def test_counts_leave_tombstones_out(store: Store) -> None:
    store.write([Write(None, patient(1)), Write(None, patient(1, "p2")), Write(None, observation(1, "o1"))])
    store.write([Write(patient(1, "p2"), tombstone(2, "p2"))])
    assert store.counts() == {"Observation": 1, "Patient": 1}


@pytest.mark.parametrize("first, second, text", [
    (True, False, "The database holds a demonstration. Start with --demo, or choose another --data-dir."),
    (False, True, "The database holds no demonstration. Start without --demo, or choose another --data-dir."),
])
def test_demonstration_and_real_data_never_mix(mongodb_uri: str, first: bool, second: bool, text: str) -> None:
    with Store(mongodb_uri, f"test_demo_{first}") as store:
        store.prepare(demo=first)
        store.prepare(demo=first)
        with pytest.raises(StoreError, match=text):
            store.prepare(demo=second)


def test_the_data_of_a_later_release_are_refused(store: Store, mongodb_uri: str) -> None:
    store._database["format"].update_one({"_id": "format"}, {"$set": {"number": 9}})
    with Store(mongodb_uri, DATABASE) as other:
        with pytest.raises(StoreError, match="The database has format 9, this release knows 2. "):
            other.prepare()


def test_a_database_that_is_away_is_unavailable_without_detail() -> None:
    with Store("mongodb://%2Fnowhere%2Fmongod.sock", "test", patience=0.1) as store:
        assert store.ready() is False
        with pytest.raises(Unavailable) as raised:
            store.get("Patient", "p1", UNRESTRICTED)
    assert str(raised.value) == "The database does not answer at the moment. Please try again."
