"""read: https://hl7.org/fhir/R4/http.html#read · #cread"""

from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import Request, Response, version_in
from fhir_server.outcome import Gone, NotFound
from fhir_server.store.document import Version


def read(request: Request, context: Context) -> Response:
    """Returns the current version. Raises NotFound, or Gone after a delete."""
    version = context.store.get(request.type, request.id, condition(request.caller))
    if version is None:
        raise NotFound(f"There is no {request.type}/{request.id}.")
    return answer(version, request)


def answer(version: Version, request: Request) -> Response:
    """Returns the response that shows `version`, without content to whom has it (304). Raises Gone for a tombstone."""
    if version.deleted:
        raise Gone(f"{version.type}/{version.id} was deleted with version {version.version}.")
    if (request.if_none_match or request.if_modified_since) and _is_known(version, request):
        return Response(304, b"", version.type, version.id, version.version, version.updated)
    return Response(200, version.raw, version.type, version.id, version.version, version.updated)


def _is_known(version: Version, request: Request) -> bool:
    """Says whether the client has this version: by its ETags or, where it sends none, by the time it got it."""
    if request.if_none_match:
        known = request.if_none_match.split(",")
        return request.if_none_match == "*" or version.version in map(version_in, known)
    since = request.if_modified_since
    # HTTP's dates are whole seconds; the instants of a Bundle are finer.
    updated = version.updated.replace(microsecond=0) if since and not since.microsecond else version.updated
    return since is not None and updated <= since
