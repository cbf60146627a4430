"""The table of facilities."""

from fhir_server.store.facilities import Facility
from fhir_server.store.store import Store


def test_facilities_are_found_by_number_and_sender(store: Store) -> None:
    store.facilities.add("1310000001", "架橋病院", ["BRIDGE", "BRIDGE2"], charset="shift_jis")
    bridge = Facility("1310000001", "架橋病院", ("BRIDGE", "BRIDGE2"), True, "shift_jis")
    assert store.facilities.by_number("1310000001") == bridge
    assert store.facilities.by_sender("BRIDGE2") == bridge
    assert store.facilities.by_sender("OTHER") is None
    assert store.facilities.by_number("1310000002") is None


def test_a_confirmed_facility_goes_before_one_that_came_by_itself(store: Store) -> None:
    store.facilities.add("0012345678", "A", ["A"], confirmed=False)
    confirmed = store.facilities.add("1310000001", "A", ["A"])
    assert store.facilities.by_sender("A") == confirmed
    assert [one.number for one in store.facilities.all()] == ["0012345678", "1310000001"]
