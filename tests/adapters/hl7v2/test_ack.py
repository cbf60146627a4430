from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.facility import JST
from adapters.hl7v2.ack import ACCEPTED, UNAVAILABLE, Verdict, acknowledge, header, refused
from adapters.hl7v2.parse import Unreadable, parse
from tests.adapters.hl7v2.data import message

NOW = datetime(2024, 6, 3, 10, 15, 1, tzinfo=JST)
MISSING = Verdict("E", "101", "A required field is missing.", "OBX[2]-3")


def answer(raw, verdict=ACCEPTED):
    return acknowledge(header(raw), verdict, NOW, "K1").decode().split("\r")[:-1]


def msh(kind="ADT^A01", version="2.5", accept="", application=""):
    return f"MSH|^~\\&|HIS|H^1.2^ISO|GW|HUB|20240603||{kind}|C1|P|{version}|||{accept}|{application}\rPID|1".encode()


def test_accepted():
    assert answer(message("ADT_A08_iso2022jp")) == [
        "MSH|^~\\&|GW|FHIRHUB|HIS|MINAMI-HP|20240603101501+0900||ACK^A08^ACK|K1|P|2.5", "MSA|AA|JA-0001"]


def test_an_error_from_2_5_on_has_place_code_and_severity():
    assert answer(msh(), MISSING) == [
        "MSH|^~\\&|GW|HUB|HIS|H^1.2^ISO|20240603101501+0900||ACK^A01^ACK|K1|P|2.5", "MSA|AE|C1",
        "ERR||OBX^2^3|101^Required field missing^HL70357|E||||A required field is missing."]


def test_an_error_before_2_5_has_both_in_err_1():
    assert answer(msh(version="2.4"), MISSING)[1:] == [
        "MSA|AE|C1|A required field is missing.", "ERR|OBX^2^3^101&Required field missing&HL70357"]


def test_what_cannot_be_read_is_an_error_with_its_code():
    assert answer(msh(), refused(Unreadable("Bad bytes.", "102", "MSH-18")))[1:] == [
        "MSA|AE|C1", "ERR||MSH^1^18|102^Data type error^HL70357|E||||Bad bytes."]


def test_a_frame_without_msh_is_rejected_without_a_control_id():
    assert answer(b"hello", Verdict("R", "100", "No MSH."))[1:] == [
        "MSA|AR", "ERR|||100^Segment sequence error^HL70357|E||||No MSH."]


@pytest.mark.parametrize("accept, application, accepted, error, rejected", [
    ("", "", "AA", "AE", "AR"),
    ("AL", "NE", "CA", "CE", "CR"),
    ("AL", "AL", "CA", "CE", "CR"),
    ("ER", "NE", "", "CE", "CR"),
    ("SU", "NE", "CA", "", ""),
    ("NE", "NE", "", "", ""),
    ("NE", "AL", "AA", "AE", "AR"),
    ("", "ER", "", "AE", "AR"),
])
def test_the_answer_is_what_msh_15_and_16_ask_for(accept, application, accepted, error, rejected):
    raw = msh(accept=accept, application=application)
    told = [answer(raw, verdict)[1:2] for verdict in (ACCEPTED, MISSING, UNAVAILABLE)]
    assert told == [[f"MSA|{code}|C1"] if code else [] for code in (accepted, error, rejected)]


@pytest.mark.parametrize("kind", ["ACK", "ACK^A01^ACK", "MCF"])
def test_an_acknowledgement_is_never_acknowledged(kind):
    assert answer(msh(kind)) == []


def test_the_senders_delimiters_are_used():
    [_, accepted] = answer(b"MSH#*!?%#HIS#H###20240603##ADT*A01#C1#P#2.5")
    assert accepted == "MSA#AA#C1"


@given(st.binary())
def test_an_answer_is_printable_ascii_and_cannot_break_a_frame(tail):
    raw = acknowledge(header(b"MSH|^~\\&|HIS|" + tail + b"|||" + tail), MISSING, NOW, "K1")
    assert set(raw) <= {0x0D, *range(0x20, 0x7F)}
    assert raw == b"" or parse(raw.decode()).first("MSA")
