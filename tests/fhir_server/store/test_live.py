"""Races on one resource: every acknowledged version is kept, none twice, no gap."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from fhir_server.outcome import TooLarge
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import Version, Write
from fhir_server.store.store import Raced, Store
from tests.fhir_server.store.versions import history, patient, shown, tombstone


def test_no_acknowledged_version_is_lost_among_racing_writers(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        acknowledged = [one for some in pool.map(lambda writer: _race(store, writer), range(16)) for one in some]
    newest_first = sorted(acknowledged, key=lambda one: -one.version)
    assert [one.version for one in newest_first] == list(range(len(acknowledged), 0, -1))
    assert history(store) == [shown(one) for one in newest_first]


def _race(store: Store, writer: int) -> list[Version]:
    """Writes, deletes and creates again as fast as it can; returns what the store acknowledged to this writer."""
    acknowledged = []
    for turn in range(12):
        previous = store.get("Patient", "p1", UNRESTRICTED)
        number = previous.version + 1 if previous else 1
        made = tombstone(number) if turn % 3 == 2 and previous else patient(number)
        mine = replace(made, source=f"writer {writer}")
        try:
            store.write([Write(previous, mine)])
            acknowledged.append(mine)
        except Raced:
            pass
    return acknowledged


def test_of_many_that_create_the_same_ids_at_once_each_id_has_one_winner_whose_content_stays(store: Store) -> None:
    """They reach MongoDB together, many in one command: what fails for one must not be told to another."""
    def create(writer: int) -> tuple[str, str] | None:
        mine = patient(1, f"p{writer % 8}", source=f"writer {writer}")
        try:
            store.write([Write(None, mine)])
        except Raced:
            return None
        return mine.id, mine.source

    with ThreadPoolExecutor(32) as pool:
        acknowledged = [one for one in pool.map(create, range(160)) if one]
    stored = store.get_many({"Patient": [f"p{number}" for number in range(8)]}, UNRESTRICTED)
    assert sorted(acknowledged) == sorted((one.id, one.source) for one in stored.values())
    assert len(acknowledged) == 8


def test_what_is_too_large_for_one_command_goes_in_several(store: Store) -> None:
    def create(writer: int) -> None:
        store.write([Write(None, replace(patient(1, f"p{writer}"), raw=b" " * 5_000_000))])

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(create, range(6)))
    assert store.counts() == {"Patient": 6}


DOCUMENT_LIMIT = 16 * 1024 * 1024


@pytest.mark.parametrize("size", [DOCUMENT_LIMIT - 100, DOCUMENT_LIMIT + 100, DOCUMENT_LIMIT + 100_000])
def test_more_than_one_document_holds_is_too_large(store: Store, size: int) -> None:
    store.write([Write(None, patient(1))])
    huge = replace(patient(2), raw=b" " * size)
    for writes in ([Write(None, replace(huge, id="p2"))], [Write(patient(1), huge)],
                   [Write(patient(1), huge), Write(None, patient(1, "p3"))],
                   [Write(None, replace(huge, id="p2")), Write(None, patient(1, "p3"))]):
        with pytest.raises(TooLarge) as refused:
            store.write(writes)
        assert str(refused.value) == "The resource and what search finds it by are larger than the database can hold."
    assert store.counts() == {"Patient": 1}
