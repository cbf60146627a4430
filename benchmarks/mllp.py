"""HL7 v2: ORU^R01 with 30 results from 16 connections, each waiting for its acknowledgement."""

import socket
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.result import Result, at_least
from benchmarks.site import Site
from fhir_server.config import Config
from fhir_server.store.queue import PARKED, RECEIVED

SAMPLE = Path(__file__).parent.parent / "tests/adapters/hl7v2/data/ORU_R01_30obx.hl7"
PATIENTS = 200

# Numbers in the sample, and what stands in their place.
_OF_PATIENT = {b"00418822": b"%08d", b"V20240516-0077": b"V%d"}
_OF_MESSAGE = {b"LIS-99120031": b"BENCH-%d", b"PL-220187": b"PL-%d", b"LAB-771200": b"LAB-%d",
               b"GRP-8812": b"GRP-%d", b"SP-40012": b"SP-%d"}
_CONNECTIONS = 16
_START, _END = b"\x0b", b"\x1c\r"
_LOOK, _PATIENCE = 0.1, 150.0
# The sample asks for the enhanced mode (MSH-15), which accepts with CA.
_ACCEPTED = b"\rMSA|CA|"


def run(site: Site) -> Iterator[Result]:
    messages = [message(number) for number in range(site.scale.messages)]
    parked = _count(site, PARKED)
    before, start = site.cpu(), time.perf_counter()
    shares = [messages[i::_CONNECTIONS] for i in range(_CONNECTIONS)]
    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        accepted = sum(pool.map(lambda share: _send(site.server.config, share), shares))
    acknowledged = time.perf_counter() - start
    while (left := _count(site, RECEIVED)) and time.perf_counter() - start < _PATIENCE:
        time.sleep(_LOOK)
    mapped, used = time.perf_counter() - start, site.cpu().since(before)
    yield Result("ORU^R01 of 30 results acknowledged, 16 connections", len(messages) / acknowledged, "messages/s",
                 at_least(1000), errors=len(messages) - accepted)
    done = len(messages) - left
    yield Result("ORU^R01 of 30 results mapped to FHIR", done / mapped, "messages/s", at_least(120),
                 used.each(done), errors=_count(site, PARKED) - parked)


def message(number: int) -> bytes:
    """Returns the sample as message `number`: of one of 200 patients, with orders and a specimen of its own."""
    raw = SAMPLE.read_bytes()
    for text, own in _OF_PATIENT.items():
        raw = raw.replace(text, own % (number % PATIENTS))
    for text, own in _OF_MESSAGE.items():
        raw = raw.replace(text, own % number)
    return raw


def _send(config: Config, messages: Sequence[bytes]) -> int:
    """Returns how many were accepted."""
    accepted = 0
    with socket.create_connection((config.mllp_host, config.mllp_port), timeout=60) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for one in messages:
            connection.sendall(_START + one + _END)
            accepted += _ACCEPTED in _answer(connection)
    return accepted


def _answer(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(_END):
        received += connection.recv(4096) or _END
    return received


def _count(site: Site, state: str) -> int:
    return sum(one.number for one in site.context.store.journal.counts() if (one.feed, one.state) == ("mllp", state))
