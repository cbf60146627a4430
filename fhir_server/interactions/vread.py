"""vread: https://hl7.org/fhir/R4/http.html#vread"""

from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import Request, Response, version_in
from fhir_server.interactions.read import answer
from fhir_server.outcome import NotFound


def vread(request: Request, context: Context) -> Response:
    """Returns one version, however old. Raises NotFound, or Gone where that version is a delete."""
    may_see = condition(request.caller)
    number = version_in(request.version)
    version = context.store.version(request.type, request.id, number, may_see) if number else None
    if version is None:
        raise NotFound(f"There is no version {request.version} of {request.type}/{request.id}.")
    return answer(version, request)
