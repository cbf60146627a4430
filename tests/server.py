"""A FHIR server for a test: the real application on a real socket, with a clock and ids that a test can foresee."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from threading import Lock, Thread
from typing import Any

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from fhir_server import app
from fhir_server.config import Config
from fhir_server.context import Context
from fhir_server.fhirjson import encode
from fhir_server.store.store import Store

START = datetime(2026, 4, 1, 9, 0, 0, tzinfo=UTC)


class Clock:
    """Starts at 2026-04-01T09:00:00Z and goes on one second each time it is asked."""

    def __init__(self) -> None:
        self._seconds, self._lock = count(), Lock()

    def __call__(self) -> datetime:
        with self._lock:
            return START + timedelta(seconds=next(self._seconds))


def context_for(store: Store, **settings: Any) -> Context:
    """Returns a Context on `store`, open unless told otherwise; ids are id-1, id-2, …"""
    numbers = count(1)
    made = app.context(Config(**{"open": True, **settings}), store)
    return replace(made, now=Clock(), new_id=lambda: f"id-{next(numbers)}")


@dataclass(frozen=True)
class Client:
    """Talks to a server as any program would; paths are relative to the FHIR base."""

    base: str

    def send(self, method: str, path: str = "", body: Any = None, **headers: str) -> requests.Response:
        """Sends `body`: a resource as JSON, or bytes and text as they are. `If_Match` is the header If-Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if isinstance(body, (dict, list)):
            body = encode(body)
        if body is not None:
            named.setdefault("Content-Type", "application/fhir+json")
        return requests.request(method, f"{self.base}/{path}".rstrip("/"), data=body, headers=named, timeout=60)

    def get(self, path: str, **headers: str) -> requests.Response:
        return self.send("GET", path, **headers)

    def ids(self, search: str) -> list[str]:
        """Returns the ids a search finds, in order."""
        bundle = self.get(search).json()
        return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Says nothing: the output of tests is the tests'."""


@contextmanager
def serving(context: Context) -> Iterator[Client]:
    """Gives a client of the application that runs on `context` until the block ends."""
    server = make_server("127.0.0.1", 0, app.create_app(context), threaded=True, request_handler=_Quiet)
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield Client(f"http://127.0.0.1:{server.server_port}/fhir")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
