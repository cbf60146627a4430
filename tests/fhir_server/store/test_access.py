"""A caller reads only versions that have all the access keys asked for, whatever else there is of the resource."""

import pytest

from fhir_server.store.access import UNRESTRICTED, access_keys
from fhir_server.store.document import Write
from fhir_server.store.plan import Plan
from fhir_server.store.store import Store
from tests.fhir_server.store.versions import patient, shown, tombstone

OWN, OTHER, LABEL = "_src=1310000001", "_src=1319999999", "_lab=http://x|HTEST"


def test_source_and_labels_are_access_keys() -> None:
    assert access_keys(patient(1)) == [OWN, LABEL]
    assert access_keys(tombstone(2)) == [OWN, LABEL]
    assert access_keys(patient(1, source="")) == [LABEL]


@pytest.mark.parametrize("may_see, live, first", [
    (UNRESTRICTED, True, True), ([LABEL], True, True), ([OWN], False, True), ([OWN, LABEL], False, True),
    ([OTHER], True, False), ([OWN, OTHER], False, False), (["_lab=none"], False, False),
])
def test_what_lacks_a_key_is_not_there(store: Store, may_see: list[str], live: bool, first: bool) -> None:
    """The first version is of one organisation, the live one of another."""
    newest = patient(2, source="1319999999")
    store.write([Write(None, patient(1))])
    store.write([Write(patient(1), newest)])
    assert store.get("Patient", "p1", may_see) == (shown(newest) if live else None)
    assert store.get_many({"Patient": ["p1"]}, may_see) == ({("Patient", "p1"): shown(newest)} if live else {})
    assert store.version("Patient", "p1", 2, may_see) == (shown(newest) if live else None)
    assert store.version("Patient", "p1", 1, may_see) == (shown(patient(1)) if first else None)
    assert store.count(Plan("Patient", keys=[[one] for one in may_see])) == live


@pytest.mark.parametrize("may_see, found", [([OWN], tombstone(2)), ([OTHER], None)])
def test_a_tombstone_is_seen_by_whom_the_resource_was(store: Store, may_see: list[str], found: object) -> None:
    store.write([Write(None, patient(1))])
    store.write([Write(patient(1), tombstone(2))])
    assert store.get("Patient", "p1", may_see) == found
