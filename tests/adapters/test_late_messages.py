"""Messages that arrive in another order than things happened."""

from datetime import datetime
from itertools import permutations
from typing import Any

import pytest

from adapters.deliver import deliver
from adapters.facility import JST, Facility
from adapters.hl7v2.messages import to_records
from fhir_server.fhirjson import decode
from fhir_server.store.access import UNRESTRICTED

FACILITY = Facility("1119999991", "埼東中央病院", ("SAITO",))
RECEIVED = datetime(2024, 6, 3, 12, 0, tzinfo=JST)
ORDERS = tuple(permutations(range(3)))
PID = "PID|||0000100001^^^^PI||Satte^Sakurako|||F"


def sent(time: str, kind: str, *segments: str) -> bytes:
    return "\r".join((f"MSH|^~\\&|HIS|SAITO|||{time}||{kind}|{time}|P|2.5", PID, *segments)).encode()


def visit(ward: str, end: str = "") -> str:
    return f"PV1||I|{ward}{'|' * 41}20240403100000|{end}"


def result(value: str, status: str) -> tuple[str, ...]:
    return ("OBR|1|LAB1||X^Y^99X|||20240402080500", f"OBX|1|NM|1^x^99X||{value}||||||{status}")


STAY = (
    sent("20240403100300", "ADT^A01", visit("E5")),
    sent("20240405091000", "ADT^A08", visit("W3")),
    sent("20240413100200", "ADT^A03", visit("W3", "20240413100000")),
)
RESULTS = (
    sent("20240402090000", "ORU^R01", *result("5", "P")),
    sent("20240402100000", "ORU^R01", *result("6", "F")),
    sent("20240402110000", "ORU^R01", *result("7", "C")),
)


def stored(messages: tuple[bytes, ...], type: str, context: Any) -> dict[str, Any]:
    """Delivers the messages one by one; returns what stands of the one resource of that type."""
    for raw in messages:
        deliver(to_records(raw, "", FACILITY, RECEIVED), FACILITY, context)
    [entry] = [one.resource for one in to_records(messages[0], "", FACILITY, RECEIVED)[0].entries
               if one.resource["resourceType"] == type]
    found: dict[str, Any] = decode(context.store.get(type, entry["id"], UNRESTRICTED).raw)
    return found


@pytest.mark.parametrize("order", ORDERS)
def test_a_stay_that_is_over_stays_over_in_any_order_of_its_events(order: tuple[int, ...], context: Any) -> None:
    stay = stored(tuple(STAY[one] for one in order), "Encounter", context)
    assert (stay["status"], stay["period"]) == (
        "finished", {"start": "2024-04-03T10:00:00+09:00", "end": "2024-04-13T10:00:00+09:00"})
    assert {(one["location"]["display"], one["status"]) for one in stay["location"]} == {
        ("E5", "completed"), ("W3", "completed")}


@pytest.mark.parametrize("order", ORDERS)
def test_a_corrected_result_stands_in_whatever_order_it_arrives(order: tuple[int, ...], context: Any) -> None:
    found = stored(tuple(RESULTS[one] for one in order), "Observation", context)
    assert (found["status"], str(found["valueQuantity"]["value"])) == ("corrected", "7")
