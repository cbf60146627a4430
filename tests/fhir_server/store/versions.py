"""Versions as literals for the tests of the store."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import SearchValues, Version
from fhir_server.store.past import Asked
from fhir_server.store.store import Store

START = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


def patient(version: int, id_: str = "p1", source: str = "1310000001") -> Version:
    """A version written `version` seconds after START."""
    updated = START + timedelta(seconds=version)
    raw = b'{"resourceType":"Patient","id":"%s","meta":{"versionId":"%d"}}' % (id_.encode(), version)
    values = SearchValues(["_", "name=ヤマダ"], updated, {}, [], "p")
    return Version("Patient", id_, version, updated, raw, b"content", values, source, ("http://x|HTEST",))


def observation(version: int, id_: str) -> Version:
    return replace(patient(version, id_), type="Observation")


def tombstone(version: int, id_: str = "p1") -> Version:
    return replace(patient(version, id_), raw=b"", content=b"", values=None, deleted=True)


def history(store: Store, id_: str = "p1", limit: int = 1000) -> list[Version]:
    """All versions of a Patient, newest first."""
    return list(store.history(Asked(UNRESTRICTED, ["Patient"], id_, limit=limit)).versions)


def shown(version: Version) -> Version:
    """The same as it is read back: search values stay in the database."""
    return replace(version, values=None)
