"""FHIR over HTTP: one view for everything under the base; `routes` decides what it means."""

import logging
import uuid

import flask
from werkzeug.exceptions import HTTPException

from fhir_server.context import Context
from fhir_server.outcome import FHIRError
from fhir_server.rest import response
from fhir_server.rest.request import read_request
from fhir_server.rest.routes import dispatch
from fhir_server.trace import where

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]

log = logging.getLogger(__name__)


def blueprint(context: Context) -> flask.Blueprint:
    """Returns the FHIR API as a Flask blueprint, to be mounted at the base."""
    api = flask.Blueprint("fhir", __name__)

    def answer(path: str = "") -> flask.Response:
        http = flask.request
        base = context.config.base_url or http.host_url + "fhir"
        request = read_request(http, path, context.config, context.resolve, base)
        answered = response.to_http(dispatch(request, context), request)
        return response.pretty(answered) if http.args.get("_pretty") == "true" else answered

    for rule in ("", "/", "/<path:path>"):
        api.add_url_rule(rule, "answer", answer, methods=METHODS, strict_slashes=False)
    api.register_error_handler(FHIRError, response.error)
    # What the router refuses never reaches the blueprint, but it is still to be answered in FHIR's terms.
    api.record_once(lambda state: state.app.register_error_handler(HTTPException, _refused))
    api.register_error_handler(Exception, _failed)
    return api


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
