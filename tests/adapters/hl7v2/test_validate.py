from adapters.hl7v2.parse import parse, read
from adapters.hl7v2.validate import warnings
from tests.adapters.hl7v2.data import message


def test_a_good_message_has_no_warning():
    good = parse(
        "MSH|^~\\&|HIS|H|GW|HUB|20240603101500||ADT^A01^ADT_A01|1|P|2.5\rEVN||20240603\r"
        "PID|1||1^^^H^PI||YAMADA^TARO\rPV1|1|I\r")
    assert warnings(good) == []


def test_a_segment_that_hl7apy_would_drop_is_named():
    found = warnings(read(message("ADT_A08")))
    assert found[0] == "1 segments do not stand where the structure has them."


def test_a_missing_segment_is_a_warning():
    text = "MSH|^~\\&|HIS|H|GW|HUB|20240603101500||ADT^A01^ADT_A01|1|P|2.5\rEVN||20240603\rPV1|1|I"
    assert warnings(parse(text)) == ["Missing required child ADT_A01.PID"]


def test_an_unknown_version_is_read_as_2_5_and_size_is_bounded():
    text = "MSH|^~\\&|HIS|H|GW|HUB|20240603101500||ADT^A01^ADT_A01|1|P|2.9\rEVN||20240603\rPID|1||{}||Y^T\rPV1|1|I"
    assert warnings(parse(text.format("1"))) == []
    assert warnings(parse(text.format("1~" * 1000))) == ["The message is too large to be validated in depth."]
