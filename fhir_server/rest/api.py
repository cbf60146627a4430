"""FHIR over HTTP: one view for everything under the base; `routes` decides what it means."""

import logging
import uuid

import flask
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from fhir_server.context import Context
from fhir_server.exchange import pairs
from fhir_server.fhirxml import Xml
from fhir_server.outcome import FHIRError, NotFound
from fhir_server.rest import formats, response
from fhir_server.rest.request import read_request
from fhir_server.rest.routes import allowed, dispatch
from fhir_server.trace import where

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

log = logging.getLogger(__name__)


def blueprint(context: Context) -> flask.Blueprint:
    """Returns the FHIR API as a Flask blueprint, to be mounted at the base."""
    api = flask.Blueprint("fhir", __name__)
    xml = Xml(context.definitions)

    def answer(path: str = "") -> flask.Response:
        http = request_ctx.request
        if http.method == "OPTIONS":
            return _options(path, context)
        request, form = read_request(http, path, context, xml)
        accepted = http.environ.get("HTTP_ACCEPT_ENCODING", "")
        return response.to_http(dispatch(request, context), request, form, xml, accepted)

    def refused(fault: FHIRError) -> flask.Response:
        return response.error(fault, _form(flask.request), xml)

    for rule in ("", "/", "/<path:path>"):
        api.add_url_rule(rule, "answer", answer, methods=METHODS, strict_slashes=False)
    api.register_error_handler(FHIRError, refused)
    # What the router refuses never reaches the blueprint, but it is still to be answered in FHIR's terms.
    api.record_once(lambda state: state.app.register_error_handler(HTTPException, _refused))
    api.register_error_handler(Exception, _failed)
    return api


def _options(path: str, context: Context) -> flask.Response:
    methods = allowed(path, context.definitions.resource_types)
    if not methods:
        raise NotFound(f"There is nothing at {path[:100]}.")
    return response.options(methods)


def _form(http: flask.Request) -> formats.Format:
    """How a refusal is written: as it is wanted, and as JSON to whom wants something else."""
    try:
        return formats.wanted(http.environ.get("HTTP_ACCEPT", ""), pairs(http.query_string.decode("latin-1")))
    except FHIRError:
        return formats.PLAIN


def _refused(fault: HTTPException) -> flask.Response | HTTPException:
    if not flask.request.path.startswith("/fhir"):
        return fault
    refusal = FHIRError(fault.description or fault.name)
    http = response.error(refusal)
    http.status_code = fault.code or 500
    return http


def _failed(fault: Exception) -> flask.Response:
    """Says that something is wrong with us. The log gets the place, never the values: they may be a patient's."""
    number = uuid.uuid4().hex[:12]
    log.error("request %s failed: %s", number, where(fault))
    return response.error(FHIRError(f"The server failed; its log says more under {number}."))
