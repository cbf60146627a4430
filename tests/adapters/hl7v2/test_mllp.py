"""The rows of the robustness list, over a real socket and with a real journal."""

import socket
import threading
from contextlib import contextmanager
from dataclasses import replace

import pytest

from adapters.admission import Admission
from adapters.hl7v2 import mllp
from adapters.hl7v2.framer import framed
from adapters.hl7v2.intake import Intake, accepting
from adapters.hl7v2.messages import MESSAGES, REQUIRED
from adapters.hl7v2.mllp import Limits
from fhir_server.outcome import Unavailable
from fhir_server.store import journal
from tests.adapters.hl7v2.data import message

LIMITS = Limits(message=200_000, noise=2_000, connections=20, frame_time=0.5, idle_time=30.0, write_time=0.5)


class Away:
    """A journal while the database is away."""

    def receive(self, messages):
        raise Unavailable("The database does not answer.")


@contextmanager
def listening(context, limits=LIMITS, into=None):
    store, started, stop, ports = context.store, threading.Event(), threading.Event(), []
    required = {kind: REQUIRED.get(kind[0], ()) for kind in MESSAGES}
    intake = Intake(Admission(store.facilities, context.config.open).of_sender, required, context.config.open)
    accept = accepting(intake, into or store.journal, context.now, context.new_id)

    def told(port):
        ports.append(port)
        started.set()

    serving = mllp.serve("127.0.0.1", 0, accept, limits, stop, told)
    thread = threading.Thread(target=lambda: mllp.asyncio.run(serving))
    thread.start()
    started.wait(5)
    try:
        yield ports[0]
    finally:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def port(context):
    with listening(context) as port:
        yield port


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def answers(sock, count):
    """Returns the MSA and ERR segments of as many frames."""
    data = b""
    while data.count(b"\x1c\r") < count:
        more = sock.recv(65536)
        assert more, data
        data += more
    return [frame.strip(b"\x0b").decode().split("\r")[1:-1] for frame in data.split(b"\x1c\r")[:-1]]


def closed(sock):
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def adt(control="C1", kind="ADT^A08^ADT_A01", version="2.5", processing="P", pid="PID|1||0004417733", rest=""):
    msh = f"MSH|^~\\&|HIS|MINAMI|GW|HUB|20240603||{kind}|{control}|{processing}|{version}"
    return f"{msh}\rEVN||20240603\r{pid}\rPV1|1|O{rest}\r".encode()


def test_byte_by_byte(port):
    with connect(port) as sock:
        for byte in framed(adt()):
            sock.send(bytes([byte]))
        assert answers(sock, 1) == [["MSA|AA|C1"]]


def test_pipelined_frames_are_answered_in_order(port):
    with connect(port) as sock:
        sock.sendall(b"".join(framed(adt(f"C{number}")) for number in range(200)))
        assert answers(sock, 200) == [[f"MSA|AA|C{number}"] for number in range(200)]


def test_what_is_acknowledged_is_in_the_journal_byte_for_byte(port, store):
    raw = message("ADT_A08_iso2022jp")
    with connect(port) as sock:
        sock.sendall(framed(raw))
        answers(sock, 1)
    [row] = store.journal.rows("received")
    assert (row.feed, row.control, store.journal.raw(row.id)) == ("mllp", "JA-0001", raw)


def test_no_end_block_and_a_closed_connection_leaves_nothing(port, store):
    with connect(port) as sock:
        sock.sendall(b"\x0b" + adt())
        sock.shutdown(socket.SHUT_WR)
        assert closed(sock)
    assert store.journal.counts() == []


def test_silence_inside_a_frame_ends_the_connection(port):
    with connect(port) as sock:
        sock.sendall(b"\x0b" + adt())
        assert closed(sock)


def test_a_new_frame_inside_an_open_one_counts(port):
    with connect(port) as sock:
        sock.sendall(b"\x0bMSH|half" + framed(adt()))
        assert answers(sock, 1) == [["MSA|AA|C1"]]


def test_noise_between_frames_is_skipped(port):
    with connect(port) as sock:
        sock.sendall(b"\r\n\x00keep-alive\n" + framed(adt("C1")) + b"\r\n" + framed(adt("C2")))
        assert answers(sock, 2) == [["MSA|AA|C1"], ["MSA|AA|C2"]]


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 100, b"\x16\x03\x01\x02\x00" * 1000])
def test_garbage_ends_the_connection_and_the_listener_lives(port, noise):
    with connect(port) as sock:
        sock.sendall(noise)
        assert closed(sock)
    with connect(port) as sock:
        sock.sendall(framed(adt()))
        assert answers(sock, 1) == [["MSA|AA|C1"]]


@pytest.mark.parametrize("raw, answer", [
    (b"hello", ["MSA|AR", "ERR|||100^Segment sequence error^HL70357|E||||There is no MSH segment that can be read."]),
    (b"", ["MSA|AR", "ERR|||100^Segment sequence error^HL70357|E||||There is no MSH segment that can be read."]),
    (adt(version="9.9"),
     ["MSA|AR|C1", "ERR||MSH^1^12|203^Unsupported version id^HL70357|E||||This version of HL7 is not read here."]),
    (adt(kind="SIU^S12"),
     ["MSA|AR|C1", "ERR||MSH^1^9|200^Unsupported message type^HL70357|E||||This type of message is not read here."]),
    (adt(kind="ADT^A99"),
     ["MSA|AR|C1", "ERR||MSH^1^9|201^Unsupported event code^HL70357|E||||This event is not read here."]),
    (adt(control=""), ["MSA|AE", "ERR||MSH^1^10|101^Required field missing^HL70357|E||||A required field is missing."]),
    (adt(pid="ZZZ|1"),
     ["MSA|AE|C1", "ERR||PID^1|101^Required field missing^HL70357|E||||A required field is missing."]),
    (adt(pid="PID|1||"),
     ["MSA|AE|C1", "ERR||PID^1^3|101^Required field missing^HL70357|E||||A required field is missing."]),
    (adt(rest="\x00"), ["MSA|AE|C1", "ERR|||102^Data type error^HL70357|E||||The message holds control characters."]),
    (adt(rest="||" + "1~" * 3000),
     ["MSA|AE|C1", "ERR|||207^Application internal error^HL70357|E||||A segment has more than 2000 repetitions."]),
    (message("ADT_A08_declared_ir87_but_utf8"),
     ["MSA|AE|JA-0004", "ERR||MSH^1^18|102^Data type error^HL70357|E||||MSH-18 declares a 7-bit "
      "character set, but there are 8-bit bytes."]),
])
def test_faults_are_answered_with_code_and_place(port, raw, answer):
    with connect(port) as sock:
        sock.sendall(framed(raw) + framed(adt("C9")))
        assert answers(sock, 2) == [answer, ["MSA|AA|C9"]]


def test_a_message_with_a_fault_inside_waits_for_a_person(port, store):
    with connect(port) as sock:
        sock.sendall(framed(adt(pid="PID|1||")))
        answers(sock, 1)
    [row] = store.journal.rows("parked")
    assert (row.reason, row.place) == ("A required field is missing.", "PID-3")


def test_an_oversize_message_is_drained_and_the_connection_goes_on(port):
    with connect(port) as sock:
        sock.sendall(framed(adt(rest="x" * 300_000)) + framed(adt("C2")))
        assert answers(sock, 2) == [
            ["MSA|AE|C1", "ERR|||207^Application internal error^HL70357|E||||The message is too long."], ["MSA|AA|C2"]]


def test_more_than_64_kib_is_no_oversize(port):
    with connect(port) as sock:
        sock.sendall(framed(adt(rest="x" * 150_000)))
        assert answers(sock, 1) == [["MSA|AA|C1"]]


def test_a_duplicate_gets_the_first_answer_and_is_kept_once(port, store):
    with connect(port) as sock:
        sock.sendall(framed(adt()))
        first = sock.recv(65536)
        sock.sendall(framed(adt()))
        assert sock.recv(65536) == first
    assert [one.number for one in store.journal.counts()] == [1]


def test_the_same_control_id_with_other_content_is_another_message(port, store):
    with connect(port) as sock:
        sock.sendall(framed(adt()) + framed(adt(rest="|")))
        assert answers(sock, 2) == [["MSA|AA|C1"], ["MSA|AA|C1"]]
    assert [one.number for one in store.journal.counts()] == [2]


def test_an_acknowledgement_is_not_answered(port):
    with connect(port) as sock:
        sock.sendall(framed(b"MSH|^~\\&|A|B|||||ACK|C0|P|2.5\rMSA|AA|1\r") + framed(adt()))
        assert answers(sock, 1) == [["MSA|AA|C1"]]


def test_while_the_journal_is_away_messages_are_rejected(context):
    with listening(context, into=Away()) as port, connect(port) as sock:
        sock.sendall(framed(adt()))
        assert answers(sock, 1) == [["MSA|AR|C1", "ERR|||207^Application internal error^HL70357|E||||The message could "
                                     "not be stored. Send it again."]]


def test_who_reads_no_answers_is_not_read_from_and_dropped(context):
    echoed = adt(kind="SIU^S12").replace(b"MINAMI", b"M" * 240).replace(b"HIS", b"H" * 240).replace(b"HUB", b"U" * 240)
    with listening(context, replace(LIMITS, outstanding=4)) as port, connect(port) as sock:
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            for _ in range(1000):
                sock.sendall(framed(echoed) * 50)


def test_idle_connections_make_room_for_a_new_sender(port):
    idle = [connect(port) for _ in range(25)]
    with connect(port) as sock:
        sock.sendall(framed(adt()))
        assert answers(sock, 1) == [["MSA|AA|C1"]]
    for one in idle:
        one.close()


def test_an_unknown_sender_becomes_unconfirmed_in_the_open_trial(port, store):
    with connect(port) as sock:
        sock.sendall(framed(adt()))
        answers(sock, 1)
    assert [(one.name, one.senders, one.confirmed, one.number[:2]) for one in store.facilities.all()] == [
        ("MINAMI", ("MINAMI",), False, "00")]


def test_otherwise_its_messages_are_kept_but_held(context, store):
    strict = replace(context, config=replace(context.config, open=False))
    with listening(strict) as port, connect(port) as sock:
        sock.sendall(framed(adt()) + framed(adt(processing="T")))
        assert answers(sock, 2) == [["MSA|AA|C1"], [
            "MSA|AR|C1",
            "ERR||MSH^1^11|202^Unsupported processing id^HL70357|E||||Only production messages are read here."]]
    assert [one.state for one in store.journal.counts()] == ["held"]
    assert store.facilities.all() == []


def test_stopping_gives_out_the_answers_that_are_owed(context, store):
    with listening(context) as port:
        sock = connect(port)
        sock.sendall(b"".join(framed(adt(f"C{number}")) for number in range(50)))
        first = sock.recv(10)
    with sock:
        told = (first + b"".join(iter(lambda: sock.recv(65536), b""))).count(b"MSA|AA")
    assert told == sum(one.number for one in store.journal.counts())


def test_a_journal_message_states_patient_order_and_answer(store, context):
    arrivals = Intake(Admission(store.facilities, True).of_sender, {("ADT", "A08"): (("PID", 3),)}).arrival(
        mllp.Frame(adt()), context.now(), "K1")
    kept = arrivals.message
    answer = b"MSH|^~\\&|GW|HUB|HIS|MINAMI|20260401090000+0000||ACK^A08^ACK|K1|P|2.5\rMSA|AA|C1\r"
    assert kept == journal.Message(
        feed="mllp", sender=kept.sender, control="C1", raw=adt(), order=f"{kept.sender}/0004417733",
        received=kept.received, ack=answer)
