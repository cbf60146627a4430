"""Response → HTTP: https://hl7.org/fhir/R4/http.html#versions"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import flask
import msgspec
from werkzeug.datastructures import Headers
from werkzeug.http import http_date

from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import decode, encode
from fhir_server.fhirxml import Xml
from fhir_server.outcome import FHIRError
from fhir_server.rest import formats
from fhir_server.rest.encoding import WORTHWHILE, encoded
from fhir_server.rest.formats import Format

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


# On every answer, whoever makes it.
SAFE = (
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
VARY = ("Vary", "Accept, Accept-Encoding")
WITHOUT_LENGTH = (204, 304)


class Answer(flask.Response):
    """An answer that is made with all its headers: they go out as they are, and are not worked out once more."""

    default_mimetype = None
    automatically_set_content_length = False

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        return self.headers


def to_http(response: Response, request: Request, form: Format, xml: Xml, accepted: str = "") -> flask.Response:
    """Returns the HTTP response: with its version, where it is, in the format and encoding the client takes."""
    body, encoding = written(response.raw, form, xml), ""
    if len(body) >= WORTHWHILE:
        body, encoding = encoded(body, accepted)
    headers = _headers(body, response.status, form)
    if encoding:
        headers.append(("Content-Encoding", encoding))
    if response.version is not None:
        headers.append(("ETag", f'W/"{response.version}"'))
    if response.updated is not None:
        headers.append(("Last-Modified", http_date(response.updated)))
    if response.location:
        headers.extend(_places(response, request))
    if "return" in request.prefer and request.interaction in WRITES:
        headers.append(("Preference-Applied", f"return={request.prefer['return']}"))
    return Answer(body, response.status, headers)


def _headers(body: bytes, status: int, form: Format) -> list[tuple[str, str]]:
    headers = [*SAFE, VARY]
    if body:
        headers.append(("Content-Type", form.content_type))
    if status not in WITHOUT_LENGTH:
        headers.append(("Content-Length", str(len(body))))
    return headers


def _places(response: Response, request: Request) -> Iterator[tuple[str, str]]:
    """Where what was made can be read, and what is shown."""
    place = f"{request.base}/{response.location}"
    if response.status == 201 or request.interaction == "create":
        yield "Location", place
    if response.raw and not response.raw.startswith(OUTCOME):
        yield "Content-Location", place


# The answer is not the resource, but what is to be said of it.
OUTCOME = b'{"resourceType":"OperationOutcome"'
WRITES = frozenset(("create", "update", "patch"))


def written(raw: bytes, form: Format, xml: Xml) -> bytes:
    """Returns JSON as it is wanted: untouched, in lines for people (`_pretty=true`), or as XML."""
    if not raw:
        return raw
    if form.name == formats.XML:
        return xml.write(decode(raw), form.pretty)
    return msgspec.json.format(raw, indent=2) if form.pretty else raw


def error(fault: FHIRError, form: Format = formats.PLAIN, xml: Xml | None = None) -> flask.Response:
    """Returns the OperationOutcome for `fault`."""
    raw = encode(fault.as_fhir())
    body = written(raw, form, xml) if xml else raw
    return Answer(body, fault.status, _headers(body, fault.status, form))


def options(methods: list[str]) -> flask.Response:
    """Returns what can be done on a path."""
    return Answer(b"", 204, [*SAFE, VARY, ("Allow", ", ".join(methods))])
