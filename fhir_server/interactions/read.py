"""read: https://hl7.org/fhir/R4/http.html#read"""

from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.outcome import Gone, NotFound
from fhir_server.store.document import Version


def read(request: Request, context: Context) -> Response:
    """Returns the current version. Raises NotFound, or Gone after a delete."""
    version = context.store.get(request.type, request.id, condition(request.caller))
    if version is None:
        raise NotFound(f"There is no {request.type}/{request.id}.")
    return answer(version)


def answer(version: Version) -> Response:
    """Returns the response that shows `version`. Raises Gone for a tombstone."""
    if version.deleted:
        raise Gone(f"{version.type}/{version.id} was deleted with version {version.version}.")
    return Response(200, version.raw, version.type, version.id, version.version, version.updated)
