"""Response → HTTP: https://hl7.org/fhir/R4/http.html#versions"""

import flask
import msgspec
from werkzeug.http import http_date

from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import decode, encode
from fhir_server.fhirxml import Xml
from fhir_server.outcome import FHIRError
from fhir_server.rest import formats
from fhir_server.rest.encoding import WORTHWHILE, encoded
from fhir_server.rest.formats import Format


def to_http(response: Response, request: Request, form: Format, xml: Xml) -> flask.Response:
    """Returns the HTTP response, with ETag, Last-Modified and, for what was created, Location."""
    headers = [("Content-Type", form.content_type), ("Vary", "Accept, Accept-Encoding")]
    if response.version is not None:
        headers.append(("ETag", f'W/"{response.version}"'))
    if response.updated is not None:
        headers.append(("Last-Modified", http_date(response.updated)))
    if response.location and (response.status == 201 or request.interaction == "create"):
        headers.append(("Location", f"{request.base}/{response.location}"))
    if response.location and response.raw and not response.raw.startswith(OUTCOME):
        headers.append(("Content-Location", f"{request.base}/{response.location}"))
    if "return" in request.prefer and request.interaction in WRITES:
        headers.append(("Preference-Applied", f"return={request.prefer['return']}"))
    return flask.Response(written(response.raw, form, xml), response.status, headers)


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
    return flask.Response(
        written(raw, form, xml) if xml else raw, fault.status, [("Content-Type", form.content_type)])


def compressed(http: flask.Response, accepted: str) -> flask.Response:
    """Returns a large answer as small as the client takes it."""
    if (http.content_length or 0) < WORTHWHILE:
        return http
    body, encoding = encoded(http.get_data(), accepted)
    if encoding:
        http.set_data(body)
        http.headers["Content-Encoding"] = encoding
    return http


def options(methods: list[str]) -> flask.Response:
    """Returns what can be done on a path."""
    return flask.Response(b"", 204, [("Allow", ", ".join(methods))])
