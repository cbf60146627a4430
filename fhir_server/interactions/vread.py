"""vread: https://hl7.org/fhir/R4/http.html#vread"""

from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.interactions.read import answer
from fhir_server.outcome import NotFound


def vread(request: Request, context: Context) -> Response:
    """Returns one version, however old. Raises NotFound, or Gone where that version is a delete."""
    condition(request.caller)
    number = int(request.version) if request.version.isascii() and request.version.isdigit() else 0
    # MongoDB counts in 64 bits; no resource ever reaches nine digits of versions.
    version = context.store.version(request.type, request.id, number) if 0 < number < 10**9 else None
    if version is None:
        raise NotFound(f"There is no version {request.version} of {request.type}/{request.id}.")
    return answer(version)
