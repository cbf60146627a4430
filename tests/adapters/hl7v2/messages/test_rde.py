"""Which drug of an order a message speaks of: one drug stays one MedicationRequest, whatever else a message lists."""

import pytest

from adapters.hl7v2.messages import rde
from adapters.hl7v2.parse import Message
from adapters.record import Unmappable
from tests.adapters.hl7v2.reading import FACILITY, message

WARFARIN, ASPIRIN = "111111101^架空ワーファリン錠^HOT9", "222222201^架空アスピリン錠^HOT9"


def order(*drugs: tuple[str, str, str]) -> Message:
    """An order: ORC-1, ORC-4 and drug of each of its parts."""
    segments = [segment for control, group, drug in drugs
                for segment in (f"ORC|{control}|RX1||{group}", f"RXE||{drug}|1||TAB^錠^MR9P")]
    return message("PID|1||0000100001^^^^PI", *segments, kind="RDE^O11^RDE_O11")


def drugs(given: Message, complete: bool = False) -> dict[str, tuple[str, str]]:
    """Returns id and status by drug."""
    entries = [entry for record in rde.to_records(given, FACILITY, complete) for entry in record.entries]
    found = [one.resource for one in entries if one.resource["resourceType"] == "MedicationRequest"]
    return {one["medicationCodeableConcept"]["coding"][0]["code"]: (one["id"], one["status"]) for one in found}


BOTH = drugs(order(("NW", "RX1_01_001", WARFARIN), ("NW", "RX1_01_002", ASPIRIN)))


@pytest.mark.parametrize("control, status", [("CA", "cancelled"), ("DC", "stopped"), ("XO", "active")])
def test_a_change_of_the_second_drug_alone_is_about_the_second_drug(control: str, status: str) -> None:
    assert drugs(order((control, "RX1_01_002", ASPIRIN))) == {"222222201": (BOTH["222222201"][0], status)}


def test_the_senders_own_numbers_count_the_drugs_wherever_they_stand() -> None:
    assert drugs(order(("NW", "RX1_01_002", ASPIRIN), ("NW", "RX1_01_001", WARFARIN))) == BOTH
    assert drugs(order(("NW", "RX1_01_002", ASPIRIN))) == {"222222201": BOTH["222222201"]}


@pytest.mark.parametrize("group", ["", "RX1_01", "RX1_01_001", "1"])
def test_a_new_order_whose_numbers_do_not_count_its_drugs_has_them_in_its_own_order(group: str) -> None:
    assert drugs(order(("NW", group, WARFARIN), ("NW", group, ASPIRIN))) == BOTH


@pytest.mark.parametrize("changed, place", [
    (order(("CA", "RX1_01", ASPIRIN)), "ORC-4"),
    (order(("CA", "", ASPIRIN)), "ORC-4"),
    (order(("CA", "RX1_01_001", WARFARIN), ("CA", "RX1_01_001", ASPIRIN)), "ORC-4"),
    (order(("NW", "RX1_01", WARFARIN), ("CA", "RX1_01", ASPIRIN)), "ORC[2]-4"),
])
def test_a_change_that_may_be_of_any_drug_waits_for_a_person(changed: Message, place: str) -> None:
    with pytest.raises(Unmappable) as refused:
        rde.to_records(changed, FACILITY)
    assert str(refused.value) == f"{place}: Which drug of the order this changes is not said."


def test_what_is_the_whole_of_its_order_needs_no_numbers() -> None:
    both = drugs(order(("CA", "RX1_01", WARFARIN), ("CA", "RX1_01", ASPIRIN)), complete=True)
    assert {drug: id_ for drug, (id_, _) in both.items()} == {drug: id_ for drug, (id_, _) in BOTH.items()}
