"""What the store promises about one resource: versions, history, tombstones, races."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fhir_server.store.document import SearchValues, Version, Write
from fhir_server.store.store import Store

START = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


def patient(version: int, id_: str = "p1", type_: str = "Patient", source: str = "1310000001") -> Version:
    updated = START + timedelta(seconds=version)
    raw = b'{"resourceType":"%s","id":"%s","meta":{"versionId":"%d"}}' % (type_.encode(), id_.encode(), version)
    values = SearchValues(["_", "name=ヤマダ"], updated, {}, [], "p")
    return Version(type_, id_, version, updated, raw, b"content", values, source, ("http://x|HTEST",))


def tombstone(version: int, id_: str = "p1") -> Version:
    return replace(patient(version, id_), raw=b"", content=b"", values=None, deleted=True)


def shown(version: Version) -> Version:
    """As it is read back: search values stay in the database."""
    return replace(version, values=None)


def test_what_is_created_is_read_back(store: Store) -> None:
    store.write([Write(None, patient(1))])
    assert store.get("Patient", "p1") == shown(patient(1))
    assert store.get("Patient", "p2") is None
    assert store.get("Observation", "p1") is None


def test_an_update_keeps_the_old_version(store: Store) -> None:
    store.write([Write(None, patient(1))])
    store.write([Write(patient(1), patient(2))])
    assert store.get("Patient", "p1") == shown(patient(2))
    assert [store.version("Patient", "p1", number) for number in (0, 1, 2, 3)] == [
        None, shown(patient(1)), shown(patient(2)), None]


def test_a_deleted_resource_is_a_tombstone_and_may_come_back(store: Store) -> None:
    store.write([Write(None, patient(1))])
    store.write([Write(patient(1), tombstone(2))])
    assert store.get("Patient", "p1") == tombstone(2)
    store.write([Write(tombstone(2), patient(3))])
    assert store.history("Patient", "p1") == [shown(patient(3)), tombstone(2), shown(patient(1))]


def test_history_is_paged_newest_first(store: Store) -> None:
    store.write([Write(None, patient(1))])
    for number in range(1, 5):
        store.write([Write(patient(number), patient(number + 1))])
    assert [one.version for one in store.history("Patient", "p1", limit=2)] == [5, 4]
    assert [one.version for one in store.history("Patient", "p1", before=4, limit=2)] == [3, 2]
    assert [one.version for one in store.history("Patient", "p1", before=2)] == [1]
    assert store.history("Patient", "p2") == []
