import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.framer import HEAD, Frame, Framer, framed

PAYLOAD = st.binary(max_size=40).filter(lambda data: b"\x0b" not in data and b"\x1c\r" not in data + b"\r")


def fed(*pieces, limit=1000):
    framer = Framer(limit)
    return [frame.raw for piece in pieces for frame in framer.feed(piece)]


@pytest.mark.parametrize("pieces, messages", [
    ([b"\x0bMSH|a\x1c\r"], [b"MSH|a"]),
    ([b"\x0ba\x1c\r\x0bb\x1c\r\x0bc"], [b"a", b"b"]),
    ([b"\x0ba\x1c", b"\rx"], [b"a"]),
    ([b"\x0ba\x1cb\x1c\r"], [b"a\x1cb"]),
    ([b"\x0ba\x1c", b"b\x1c\r"], [b"a\x1cb"]),
    ([b"\x0ba\x1c", b"\x1c\r"], [b"a\x1c"]),
    ([b"\x0bpartial\x0bwhole\x1c\r"], [b"whole"]),
    ([b"\r\n\x00log line\r\n\x0ba\x1c\r\r\n"], [b"a"]),
    ([b"\x0b\x1c\r"], [b""]),
    ([b"\x1c\r\x1c\r"], []),
    ([], []),
])
def test_frames(pieces, messages):
    assert fed(*pieces) == messages


def test_what_stands_outside_is_counted_until_the_next_whole_frame():
    framer = Framer(1000)
    framer.feed(b"noise\x0bgiven up\x0ba")
    assert (framer.skipped, framer.open) == (len(b"noise") + len(b"given up"), True)
    framer.feed(b"\x1c\r")
    assert (framer.skipped, framer.open) == (0, False)


def test_of_a_message_beyond_the_limit_only_the_head_is_kept():
    framer = Framer(10_000)
    framer.feed(b"\x0bMSH|")
    for _ in range(100):
        framer.feed(b"x" * 1000)
        assert framer.buffered <= 11_000
    [frame] = framer.feed(b"\x1c\r")
    assert (frame.oversize, frame.raw[:4], len(frame.raw)) == (True, b"MSH|", HEAD)
    assert framer.feed(framed(b"next")) == [Frame(b"next")]


def test_the_limit_itself_is_allowed():
    assert Framer(4).feed(framed(b"1234")) == [Frame(b"1234")]
    assert Framer(4).feed(framed(b"12345")) == [Frame(b"12345", oversize=True)]


@given(st.lists(PAYLOAD), st.data())
def test_however_the_bytes_are_cut_the_frames_are_the_same(payloads, data):
    stream = b"".join(map(framed, payloads))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)])]
    assert fed(*pieces) == payloads


@given(st.lists(st.binary(max_size=30).map(lambda data: data.replace(b"0", b"\x0b").replace(b"1", b"\x1c\r"))))
def test_any_bytes_leave_a_framer_that_goes_on(pieces):
    framer = Framer(20)
    for piece in pieces:
        framer.feed(piece)
    assert framer.feed(b"\x1c\r" + framed(b"after"))[-1] == Frame(b"after")
