"""Bad input without end: what is sent in, cut, doubled, swapped; and what must hold whatever comes.

Each run takes a source of randomness and the turns to take, and returns how many inputs it tried.
"""

import re
import socket
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from itertools import count, takewhile
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import requests

from adapters.facility import JST, Facility
from adapters.hl7v2.framer import FS_CR, VT
from adapters.hl7v2.messages import to_records
from adapters.record import Record, Unmappable
from adapters.ssmix2 import kinds
from adapters.worker import ToRecords
from fhir_server import fhirjson
from fhir_server.definitions.registry import load
from fhir_server.outcome import Unprocessable
from fhir_server.validation.structure import Validator
from tests.process import Serve, wait_for
from tests.r4_examples import examples
from tests.soak.storm import everything, result

ADAPTERS = Path(__file__).parents[1] / "adapters"
FACILITY = Facility("1119999991", "", ("NORTHGEN",), charset="iso-2022-jp")
RECEIVED = datetime(2024, 6, 3, 12, tzinfo=JST)
# What breaks things: delimiters, escapes, ends, character sets, sizes.
PIECES = (b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"\x0b", b"\x1c\r", b"\x1c", b"\x00", b"\x1b$B", b"\x1b(B",
          b"\x1b(J", b"\xff", b"\x82\xa0", "あ".encode(), b'""', b"\\X0D\\", b"\\.br\\", b"-1", b"99999999999999999999",
          b"20240230", b"1e999", b"<script>", b"MSH|", b"PID|", b"OBX|1|NM|", b"|" * 500)
Turns = Iterable[int]
VALUES: tuple[Any, ...] = (None, True, "", " ", 0, -1, 10**40, 1.5, [], {}, [[]], [None], "a" * 2000, "\x00", "é\ud7ff",
                           {"resourceType": "Patient"}, {"id": 1}, "2024-13-45", "javascript:1", {"": ""})


def until(end: float) -> Iterator[int]:
    """Turns until a moment of the monotonic clock; `range(n)` are n turns, the same on every machine."""
    return takewhile(lambda _: monotonic() < end, count())


@cache
def messages() -> tuple[bytes, ...]:
    return (*(one.read_bytes() for one in sorted((ADAPTERS / "hl7v2/data").glob("*.hl7"))),
            *packed(ADAPTERS / "hl7v2/samples/messages.tar.gz"), *packed(ADAPTERS / "hl7v2/samples/orders.tar.gz"))


def packed(archive: Path) -> list[bytes]:
    with tarfile.open(archive) as members:
        return [stream.read() for one in members if one.name.endswith(".hl7") and (stream := members.extractfile(one))]


@cache
def files() -> tuple[tuple[str, bytes], ...]:
    with tarfile.open(ADAPTERS / "ssmix2/data/own.tar.gz") as members:
        return tuple((one.name, stream.read()) for one in members if (stream := members.extractfile(one)))


def spoiled(raw: bytes, random: Random) -> bytes:
    """Returns the bytes with one to five pieces cut out, put in, replaced, doubled or swapped."""
    for _ in range(random.randint(1, 5)):
        start = random.randrange(len(raw) + 1)
        end = min(len(raw), start + random.choice((0, 1, 1, 2, 8, 64)))
        middle = random.choice((b"", raw[start:end] * 2, random.choice(PIECES), random.randbytes(end - start)))
        raw = raw[:start] + middle + raw[end:]
    return raw


def spoiled_fields(raw: bytes, random: Random) -> bytes:
    """Returns the message with some of its fields exchanged: every segment is still one."""
    fields = raw.split(b"|")
    for _ in range(random.randint(1, 6)):
        fields[random.randrange(3, len(fields))] = random.choice((random.choice(fields), random.choice(PIECES), b""))
    return b"|".join(fields)


MSA = re.compile(rb"\rMSA.[AC][AER]")


def maps(random: Random, turns: Turns) -> int:
    """A message becomes valid resources, or is Unmappable with a reason."""
    return _mapped(lambda: ("C1", random.choice(messages())), to_records, random, turns)


def storage(random: Random, turns: Turns) -> int:
    """A file becomes valid resources, or is Unmappable with a reason, whatever its name and content."""

    def drawn() -> tuple[str, bytes]:
        name, raw = random.choice(files())
        kept = name if random.random() < 0.8 else spoiled(name.encode(), random).decode("utf-8", "replace")
        return "/".join(kept.split("/")[-4:]), raw

    return _mapped(drawn, kinds.to_records, random, turns)


def _mapped(drawn: Callable[[], tuple[str, bytes]], to: ToRecords, random: Random, turns: Turns) -> int:
    tried, validator = 0, Validator(load())
    for _ in turns:
        name, raw = drawn()
        bad = random.choice((spoiled, spoiled_fields))(raw, random)
        try:
            _valid(to(bad, name, FACILITY, RECEIVED), validator)
        except Unmappable as error:
            assert error.reason
        except Exception as error:
            raise AssertionError(f"{error!r} for {name!r}: {bad!r}") from error
        tried += 1
    return tried


def _valid(records: Sequence[Record], validator: Validator) -> None:
    for entry in (entry for record in records for entry in record.entries):
        try:
            validator.check(fhirjson.decode(fhirjson.encode(entry.resource)))
        except Unprocessable as error:
            raise AssertionError([(one.text, one.expression) for one in error.issues]) from error


def frames(random: Random, turns: Turns, serve: Serve) -> int:
    """Whatever comes over the wire, each answer is an acknowledgement, and the next honest message is accepted."""
    tried = 0
    for _ in turns:
        stream = b"".join(_frame(random) for _ in range(random.randint(1, 8)))
        with socket.create_connection(("127.0.0.1", serve.mllp_port), timeout=10) as connection:
            connection.settimeout(0.05)
            for part in _cut(spoiled(stream, random), random):
                connection.sendall(part)
            answers = _received(connection)
        assert all(MSA.search(one) for one in answers.split(FS_CR)[:-1]), answers
        tried += 1
    wait_for(lambda: b"\rMSA|AA|" in serve.send(result("7790000001", tried)), "an answer to an honest message")
    return tried


def _frame(random: Random) -> bytes:
    """Mostly a message in a frame that may lack its beginning or end."""
    raw = spoiled(random.choice(messages()), random)
    return random.choice((VT, VT, VT, b"")) + raw + random.choice((FS_CR, FS_CR, b"\x1c", b""))


def _cut(stream: bytes, random: Random) -> Sequence[bytes]:
    size = random.choice((1, 7, 1000, 65536, 10**9)) if len(stream) < 2000 else random.choice((1000, 65536))
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def _received(connection: socket.socket) -> bytes:
    """What comes until it stays quiet."""
    received = b""
    try:
        while part := connection.recv(65536):
            received += part
    except OSError:
        pass
    return received


def bodies(random: Random, turns: Turns, serve: Serve) -> int:
    """Whatever is sent to the API, the answer is the client's fault or none, and an OperationOutcome says which."""
    tried = 0
    with requests.Session() as session:
        for _ in turns:
            method, path, body = _request(random)
            answer = session.request(method, f"{serve.page}/fhir/{path}", data=body, timeout=30,
                                     headers={"Content-Type": "application/fhir+json"})
            said = (method, path, (body or b"")[:3000], answer.status_code, answer.text[:300])
            assert answer.status_code < 500, said
            assert answer.status_code < 400 or '"resourceType":"OperationOutcome"' in answer.text, said
            tried += 1
    assert serve.get("/health/ready").status_code == 200
    return tried


def _request(random: Random) -> tuple[str, str, bytes | None]:
    name, raw = random.choice(examples())
    type_ = name.split("-")[0]
    body = random.choice((spoiled(raw, random), fhirjson.encode(_altered(fhirjson.decode(raw), random))))
    return random.choice((
        ("POST", type_, body),
        ("PUT", f"{type_}/{name.split('-', 1)[1]}", body),
        ("POST", "", b'{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"POST","url":"'
                     + type_.encode() + b'"},"resource":' + body + b"}]}"),
        ("GET", f"{type_}?{_text(random)}={_text(random)}&{random.choice(PARAMETERS)}={_text(random)}", None),
        ("GET", f"{type_}/{_text(random)}", None),
    ))


PARAMETERS = ("_id", "_count", "_sort", "_lastUpdated", "_total", "identifier", "date", "patient.name", "code", "name",
              "_summary", "_elements", "birthdate", "value-quantity", "_page", "_has")


def _text(random: Random) -> str:
    """A piece of a query: escapes of all bytes, names, modifiers, values."""
    return random.choice((
        "".join(f"%{one:02x}" for one in random.randbytes(random.randint(0, 6))), "ge2024", "eq2024-02-30", "|", "a|b",
        "name:exact", "-", "1e999", "%F0%9F%98%80", "a" * 300, ",,,", "$x", "_history", random.choice(PARAMETERS)))


def _altered(found: Any, random: Random) -> Any:
    """Returns the JSON with some values exchanged, members left out, doubled or put in."""
    if random.random() < 0.04:
        return random.choice(VALUES)
    if isinstance(found, dict):
        kept = {name: _altered(one, random) for name, one in found.items() if random.random() > 0.02}
        return {**kept, "unheardOf": 1} if random.random() < 0.02 else kept
    if isinstance(found, list):
        return [_altered(one, random) for one in found] * random.choice((1,) * 30 + (2, 0))
    return found


def junk(random: Random, turns: Turns, serve: Serve) -> int:
    """Junk in the drop folder harms nothing: an honest file among it is found."""
    tried, root = 0, serve.data / "ssmix2" / FACILITY.number
    for _ in turns:
        name, raw = random.choice(files())
        place = root / _printable(random.choice((name, spoiled(name.encode(), random).decode("utf-8", "replace"))))
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(spoiled(raw, random))
            tried += 1
        except OSError:
            continue
    honest = root / "770/000/7700000000/-/ADT-00/7700000000_-_ADT-00_999999999999999_20260401090000000_-_1"
    honest.parent.mkdir(parents=True, exist_ok=True)
    honest.write_bytes(HONEST)
    wait_for(lambda: bool(everything(serve, "Patient?identifier=7700000000")), "the honest file")
    return tried


HONEST = (f"MSH|^~\\&|HIS|{FACILITY.number}|K|R|20260401090000||ADT^A08^ADT_A01|H1|P|2.5||||||UNICODE UTF-8\r"
          "EVN||20260401090000\rPID|1||7700000000^^^^PI||正直^太郎^^^^^L^I||19550117|M\r").encode()


def _printable(name: str) -> str:
    """A path below the folder: no way up, no part too long."""
    parts = name.replace("\0", "").split("/")[2:]
    return "/".join(one[:80] for one in parts if one not in ("", ".", "..")) or "empty"
