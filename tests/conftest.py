"""A real MongoDB for every test that asks for one: a mongod of our own, started once a run."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from fhir_server.context import Context
from fhir_server.store import embedded
from fhir_server.store.store import Store
from tests.server import Client, context_for, serving

DATABASE = "test"


@pytest.fixture(scope="session")
def mongodb_uri() -> Iterator[str]:
    """The URI of a replica set that lives as long as the tests (of one pytest-xdist worker)."""
    with tempfile.TemporaryDirectory(prefix="kakehashi-test-", ignore_cleanup_errors=True) as folder:
        with embedded.running(Path(folder), cache_gb=0.5) as uri:
            yield uri


@pytest.fixture(scope="session")
def _client(mongodb_uri: str) -> Iterator[MongoClient[dict[str, object]]]:
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        yield client


@pytest.fixture
def store(mongodb_uri: str, _client: MongoClient[dict[str, object]]) -> Iterator[Store]:
    """An empty, prepared Store. Collections are emptied, not dropped: making them again would cost 100 ms a test."""
    with Store(mongodb_uri, DATABASE) as made:
        made.prepare()
        yield made
    database = _client[DATABASE]
    for name in database.list_collection_names():
        database[name].delete_many({})


@pytest.fixture
def context(store: Store) -> Context:
    """An open server's Context on an empty store, with a clock and ids that a test can foresee."""
    return context_for(store)


@pytest.fixture
def fhir(context: Context) -> Iterator[Client]:
    """A client of an open server."""
    with serving(context) as client:
        yield client


@pytest.fixture
def closed(store: Store) -> Iterator[Client]:
    """A client of a server without --open, which has no authorization to show."""
    with serving(context_for(store, open=False)) as client:
        yield client


@pytest.fixture
def small(store: Store) -> Iterator[Client]:
    """A client of a server with small limits."""
    limits = {"request_limit": 10_000, "resource_limit": 5_000, "entry_limit": 3, "answer_limit": 5_000}
    with serving(context_for(store, **limits)) as client:
        yield client
