"""Slow senders hold threads, not the server; and never more than so many requests are at work."""

import socket
import time
from collections.abc import Iterable
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from fhir_server.places import Places
from tests.process import Serve

HEAD = b"PUT /fhir/Patient/p1 HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/fhir+json\r\n"
SLOW = HEAD + b"Content-Length: 1000\r\n\r\n{"


def answered(places: Places, body: Any) -> list[bytes]:
    return list(places({"wsgi.input": body}, lambda *_: None))  # type: ignore[arg-type, return-value]


class Slow(BytesIO):
    """A body of which the rest comes when `come` is set."""

    come: Event

    def read(self, size: int | None = -1) -> bytes:
        assert self.come.wait(20)
        return super().read(size)


def test_who_waits_for_a_body_lets_others_work() -> None:
    places, slow, got = Places(lambda environ, _: [environ["wsgi.input"].read()], 1), Slow(b"late"), []
    slow.come = Event()
    waiting = Thread(target=lambda: got.extend(answered(places, slow)))
    waiting.start()
    assert answered(places, BytesIO(b"now")) == [b"now"]
    slow.come.set()
    waiting.join()
    assert got == [b"late"]


def test_no_more_are_at_work_than_there_are_places() -> None:
    counting, at_work, most = Lock(), 0, 0

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        nonlocal at_work, most
        environ["wsgi.input"].read()
        with counting:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.002)
        with counting:
            at_work -= 1
        return []

    places = Places(application, 2)
    threads = [Thread(target=answered, args=(places, BytesIO())) for _ in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert most == 2


def test_a_body_is_read_in_every_way_of_pep_3333() -> None:
    text = b"one\ntwo\nthree"
    for read, parts in (
        (lambda body: [body.read(3), body.readline(), body.read()], [b"one", b"\n", b"two\nthree"]),
        (lambda body: body.readlines(), [b"one\n", b"two\n", b"three"]),
        (list, [b"one\n", b"two\n", b"three"]),
    ):
        assert answered(Places(lambda environ, _: read(environ["wsgi.input"]), 1), BytesIO(text)) == parts


def test_a_fault_gives_the_place_back() -> None:
    places = Places(lambda environ, _: [environ["wsgi.input"].read()], 1)
    for _ in range(3):
        try:
            answered(places, None)
        except AttributeError:
            pass
    assert answered(places, BytesIO(b"now")) == [b"now"]


def test_forty_slow_bodies_stop_nobody(tmp_path: Path) -> None:
    serve = Serve(tmp_path, ("--open",))
    with serve.running(), ExitStack() as connections:
        for _ in range(40):
            slow = connections.enter_context(socket.create_connection(("127.0.0.1", serve.port)))
            slow.sendall(SLOW)
        assert serve.get("/fhir/Patient/p1").status_code == 404
