"""A small HTTP server that answers what a test tells it to, right or wrong."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

STATEMENT: dict[str, Any] = {
    "resourceType": "CapabilityStatement",
    "fhirVersion": "4.0.1",
    "software": {"name": "Wrong", "version": "1"},
    "format": ["json"],
    "rest": [{
        "mode": "server",
        "resource": [{"type": "Patient", "interaction": [{"code": "read"}], "searchParam": [{"name": "_tag"}]}],
    }],
}


@dataclass(frozen=True)
class Says:
    """An answer: a resource as JSON, or bytes as they are."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass
class Wrong:
    """`answers` by method and path; several for one are given in turn, the last goes on. `asked` is what came."""

    answers: Mapping[str, list[Says]]
    base: str = ""
    asked: list[str] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def answer(self, line: str, headers: Mapping[str, str]) -> Says:
        with self.lock:
            self.asked.append(line)
            self.headers.append(headers)
            known = self.answers.get(line) or [Says(200, STATEMENT) if line == "GET /metadata" else Says(404)]
            return known[min(self.asked.count(line), len(known)) - 1]


@contextmanager
def wrong(**answers: Says | list[Says]) -> Iterator[Wrong]:
    """Gives such a server; `GET_Patient_1` is what it answers to GET /Patient/1."""
    lines = {
        name.replace("_", " /", 1).replace("_", "/"): said if isinstance(said, list) else [said]
        for name, said in answers.items()
    }
    told = Wrong(lines)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    told.base = f"http://127.0.0.1:{server.server_port}"
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(told: Wrong) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            said = told.answer(f"{self.command} {self.path}", dict(self.headers))
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value.replace("BASE", told.base))
            content = said.content.replace(b"BASE", told.base.encode())
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = answer

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    return Handler
