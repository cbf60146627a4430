"""Several writes: all or none, also against others who write the same resources."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from pymongo import MongoClient

from fhir_server.outcome import TooLarge
from fhir_server.store import embedded, envelope
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import Version, Write
from fhir_server.store.store import Raced, Store
from tests.fhir_server.store.versions import history, observation, patient, shown, tombstone


def test_all_is_written(store: Store) -> None:
    store.write([Write(None, patient(1, "a")), Write(None, patient(1, "b"))])
    store.write([
        Write(patient(1, "a"), patient(2, "a")), Write(None, observation(1, "o")),
        Write(patient(1, "b"), tombstone(2, "b")), Write(None, patient(1, "c"))])
    assert store.get_many({"Patient": "abc", "Observation": "o"}, UNRESTRICTED) == {
        ("Patient", "a"): shown(patient(2, "a")),
        ("Patient", "b"): tombstone(2, "b"),
        ("Patient", "c"): shown(patient(1, "c")),
        ("Observation", "o"): shown(observation(1, "o")),
    }
    assert history(store, "b") == [tombstone(2, "b"), shown(patient(1, "b"))]


@pytest.mark.parametrize("failing", [
    Write(None, patient(1, "taken")),
    Write(patient(7, "taken"), patient(8, "taken")),
    Write(patient(1, "missing"), patient(2, "missing")),
])
def test_nothing_is_written_where_one_fails(store: Store, failing: Write) -> None:
    store.write([Write(None, patient(1, "taken")), Write(None, patient(1, "a"))])
    with pytest.raises(Raced):
        store.write([Write(None, observation(1, "o")), Write(patient(1, "a"), patient(2, "a")), failing])
    assert store.get_many({"Patient": ["a", "taken", "missing"], "Observation": ["o"]}, UNRESTRICTED) == {
        ("Patient", "a"): shown(patient(1, "a")), ("Patient", "taken"): shown(patient(1, "taken"))}


def test_a_copy_left_by_a_lost_race_does_no_harm(store: Store) -> None:
    store.write([Write(None, patient(1))])
    store.write([Write(patient(1), patient(2))])
    with pytest.raises(Raced):
        store.write([Write(patient(1), patient(2))])
    assert history(store) == [shown(patient(2)), shown(patient(1))]
    store.write([Write(patient(2), patient(3)), Write(None, patient(1, "other"))])
    assert history(store) == [shown(patient(3)), shown(patient(2)), shown(patient(1))]


def test_a_copy_left_by_a_crash_before_the_swap_is_shown_once(store: Store, mongodb_uri: str) -> None:
    store.write([Write(None, patient(1))])
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        client["test"]["Patient_history"].insert_one(dict(envelope.past(patient(1))))
    assert history(store) == [shown(patient(1))]
    store.write([Write(patient(1), patient(2))])
    assert history(store) == [shown(patient(2)), shown(patient(1))]


def test_transactions_over_the_same_resources_never_mix(store: Store) -> None:
    """Four writers move two resources on together; whoever sees them sees the same version of both."""
    store.write([Write(None, patient(1, "a")), Write(None, patient(1, "b"))])

    def move(_: int) -> None:
        for _ in range(10):
            _until_written(store)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(move, range(4)))
    versions = [[one.version for one in history(store, id_)] for id_ in ("a", "b")]
    assert versions == [list(range(41, 0, -1))] * 2


def _until_written(store: Store) -> None:
    while True:
        a, b = store.get("Patient", "a", UNRESTRICTED), store.get("Patient", "b", UNRESTRICTED)
        assert a and b
        try:
            return store.write([Write(one, patient(one.version + 1, one.id)) for one in (b, a)])
        except Raced:
            continue


def test_more_than_the_cache_holds_is_too_large(tmp_path: Path) -> None:
    with embedded.running(tmp_path, cache_gb=0.25) as uri, Store(uri, "test") as store:
        store.prepare()
        with pytest.raises(TooLarge, match="The transaction is larger than the database can hold in memory."):
            store.write([Write(None, _large(f"p{number}")) for number in range(26)])
        assert store.counts() == {}


def _large(id_: str) -> Version:
    return replace(patient(1, id_), raw=os.urandom(10 * 1024 * 1024))
