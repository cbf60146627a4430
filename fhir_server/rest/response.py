"""Response → HTTP: https://hl7.org/fhir/R4/http.html#versions"""

import flask
import msgspec
from werkzeug.http import http_date

from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import encode
from fhir_server.outcome import FHIRError
from fhir_server.rest.request import JSON


def to_http(response: Response, request: Request) -> flask.Response:
    """Returns the HTTP response, with ETag, Last-Modified and, for what was created, Location."""
    http = flask.Response(response.raw, response.status, content_type=f"{JSON}; charset=utf-8")
    if response.version is not None:
        http.headers["ETag"] = f'W/"{response.version}"'
    if response.updated is not None:
        http.headers["Last-Modified"] = http_date(response.updated)
    if response.status == 201:
        http.headers["Location"] = f"{request.base}/{response.location}"
    return http


def error(fault: FHIRError) -> flask.Response:
    """Returns the OperationOutcome for `fault`."""
    return flask.Response(encode(fault.as_fhir()), fault.status, content_type=f"{JSON}; charset=utf-8")


def pretty(http: flask.Response) -> flask.Response:
    """Returns the response indented, for people: `_pretty=true`."""
    body = http.get_data()
    if body:
        http.set_data(msgspec.json.format(body, indent=2))
    return http
