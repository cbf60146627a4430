"""Who has signed lately is at work; who died long ago is forgotten."""

from datetime import timedelta

from pymongo import MongoClient

from fhir_server.store.store import Store
from tests.conftest import DATABASE
from tests.server import START


def test_parts_are_counted_while_they_sign(store: Store) -> None:
    store.heartbeats.beat("worker", "here:1", START)
    store.heartbeats.beat("worker", "here:2", START + timedelta(seconds=5))
    store.heartbeats.beat("web", "here:3", START)
    assert store.heartbeats.parts(START + timedelta(seconds=10)) == {"worker": 2, "web": 1}
    store.heartbeats.leave("web", "here:3")
    assert store.heartbeats.parts(START + timedelta(seconds=11)) == {"worker": 1}


def test_a_part_that_runs_alone_has_old_signatures_forgotten_too(store: Store, mongodb_uri: str) -> None:
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        indexes = client[DATABASE]["heartbeats"].index_information()
    assert indexes["at_1"]["expireAfterSeconds"] == 3600
