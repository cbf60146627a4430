"""A hospital's and an application's side of the wire: HL7 v2 over MLLP, FHIR over HTTP."""

import socket
from collections.abc import Iterable, Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

from fhir_server import fhirjson

_SECONDS = 30.0
_START, _END = b"\x0b", b"\x1c\r"
_FHIR = "application/fhir+json"


def exchange(host: str, port: int, raw: Iterable[bytes]) -> Iterator[bytes]:
    """Sends the messages one after the other over one connection; yields each acknowledgement. Raises OSError."""
    with socket.create_connection((host, port), timeout=_SECONDS) as connection:
        for one in raw:
            connection.sendall(_START + one + _END)
            yield _acknowledgement(connection)


def _acknowledgement(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(_END):
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("The listener closed the connection without an acknowledgement.")
        received += part
    return received[1:-2]


def search(host: str, port: int, type_: str, **query: str) -> list[dict[str, Any]]:
    """Returns the resources of the first page that match. Raises OSError."""
    page = _call(host, port, "GET", f"/fhir/{type_}?{urlencode(query)}")
    return [entry["resource"] for entry in page.get("entry", ())]


def put(host: str, port: int, resource: dict[str, Any]) -> None:
    """Writes the resource under its own id. Raises OSError when it was not accepted."""
    _call(host, port, "PUT", f"/fhir/{resource['resourceType']}/{resource['id']}", fhirjson.encode(resource))


def _call(host: str, port: int, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
    connection = HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request(method, path, body, {"Content-Type": _FHIR, "Accept": _FHIR})
        response = connection.getresponse()
        answer = response.read()
    finally:
        connection.close()
    if response.status >= 400:
        raise ConnectionError(f"{method} {path.partition('?')[0]} was answered {response.status}")
    content: dict[str, Any] = fhirjson.decode(answer) if answer else {}
    return content
