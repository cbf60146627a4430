from datetime import datetime, timezone

import pytest

from adapters.hl7v2.messages import MESSAGES, REQUIRED, supported, to_records
from adapters.record import Unmappable
from tests.adapters.hl7v2.reading import FACILITY, message

RECEIVED = datetime(2024, 6, 3, 3, 0, tzinfo=timezone.utc)


def test_every_type_with_a_map_says_what_it_needs() -> None:
    assert {type for type, _ in MESSAGES} <= REQUIRED.keys()


@pytest.mark.parametrize("kind, known", [("ADT^A01", True), ("ORU^R01^ORU_R01", True), ("ADT^A40", False), ("", False)])
def test_what_is_supported_is_what_the_table_names(kind: str, known: bool) -> None:
    assert supported(message("PID|||1", kind=kind)) is known


def test_a_message_without_a_map_says_so() -> None:
    with pytest.raises(Unmappable, match="MSH-9: There is no map for SIU\\^S12."):
        to_records(b"MSH|^~\\&|HIS|SAITO|||20240603||SIU^S12|1|P|2.5\rPID|||1\r", "1", FACILITY, RECEIVED)


@pytest.mark.parametrize("sent, time", [
    (b"20240603101500", datetime(2024, 6, 3, 1, 15, tzinfo=timezone.utc)),
    (b"20240603101500+0000", datetime(2024, 6, 3, 10, 15, tzinfo=timezone.utc)),
    (b"", RECEIVED),
    (b"today", RECEIVED),
])
def test_a_record_has_the_time_of_its_message_else_that_of_its_receipt(sent: bytes, time: datetime) -> None:
    raw = b"MSH|^~\\&|HIS|SAITO|||" + sent + b"||ADT^A08|1|P|2.5\rPID|||1\r"
    [record] = to_records(raw, "1", FACILITY, RECEIVED)
    assert (record.time, record.source) == (time, "urn:hl7v2:1119999991:1")
