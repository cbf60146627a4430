"""Races on one resource: every acknowledged version is kept, none twice, no gap."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from fhir_server.store.document import Version, Write
from fhir_server.store.store import Raced, Store
from tests.fhir_server.store.versions import patient, shown, tombstone


def test_no_acknowledged_version_is_lost_among_racing_writers(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        acknowledged = [one for some in pool.map(lambda writer: _race(store, writer), range(16)) for one in some]
    newest_first = sorted(acknowledged, key=lambda one: -one.version)
    assert [one.version for one in newest_first] == list(range(len(acknowledged), 0, -1))
    assert store.history("Patient", "p1", limit=1000) == [shown(one) for one in newest_first]


def _race(store: Store, writer: int) -> list[Version]:
    """Writes, deletes and creates again as fast as it can; returns what the store acknowledged to this writer."""
    acknowledged = []
    for turn in range(12):
        previous = store.get("Patient", "p1")
        number = previous.version + 1 if previous else 1
        made = tombstone(number) if turn % 3 == 2 and previous else patient(number)
        mine = replace(made, source=f"writer {writer}")
        try:
            store.write([Write(previous, mine)])
            acknowledged.append(mine)
        except Raced:
            pass
    return acknowledged
