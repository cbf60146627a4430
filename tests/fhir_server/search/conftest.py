"""Searches end to end: resources are indexed and stored as the server does it, queries are parsed, planned and run."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import pytest

from fhir_server.definitions.registry import load
from fhir_server.fhirjson import encode
from fhir_server.search.codes import StoredCodes
from fhir_server.search.index import Index
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.store.document import Version, Write
from fhir_server.store.store import Store

START = datetime(2026, 4, 1, tzinfo=UTC)

Search = Callable[[Sequence[dict[str, Any]], str], list[str]]


def put(store: Store, resources: Sequence[dict[str, Any]]) -> None:
    """Stores the resources, the first at 2026-04-01T00:00Z, each next one a minute later."""
    index = Index(load())
    for minutes, resource in enumerate(resources):
        updated = START + timedelta(minutes=minutes)
        store.write([Write(None, Version(
            resource["resourceType"], resource["id"], 1, updated, encode(resource), b"", index.values(resource, updated)
        ))])


@pytest.fixture
def search(store: Store) -> Search:
    """Stores resources, runs `Observation?code=…` and returns the ids found, in order; the count must agree."""

    def run(resources: Sequence[dict[str, Any]], url: str) -> list[str]:
        put(store, resources)
        type, _, query = url.partition("?")
        codes = StoredCodes(load(), lambda plan: [one.raw for one in store.find(plan).rows])
        wanted = plan(parse(type, parse_qsl(query, strict_parsing=True), load(), codes=codes))
        found = [one.id for one in store.find(wanted).rows]
        assert store.count(wanted) == len(found)
        return found

    return run
