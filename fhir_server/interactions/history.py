"""history of one resource: https://hl7.org/fhir/R4/http.html#history"""

from collections.abc import Sequence

from fhir_server.access.condition import condition
from fhir_server.bundle.page import Link, history_entry, page
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.outcome import BadRequest, NotFound

KNOWN = ("_count", "_before")
PAGE = 100


def history_instance(request: Request, context: Context) -> Response:
    """Returns all versions, newest first, deletes included; pages of `_count`. Raises NotFound."""
    condition(request.caller)
    asked = _numbers(request.query)
    count = min(asked.get("_count", PAGE), context.config.page_limit)
    versions = context.store.history(
        request.type, request.id, asked.get("_before"), count, context.config.answer_limit)
    if not versions and "_before" not in asked:
        raise NotFound(f"There is no {request.type}/{request.id}.")
    where = f"{request.base}/{request.type}/{request.id}/_history"
    links = [Link("self", f"{where}?_count={count}" + (f"&_before={asked['_before']}" if "_before" in asked else ""))]
    if versions and versions[-1].version > 1:
        links.append(Link("next", f"{where}?_count={count}&_before={versions[-1].version}"))
    total = versions[0].version if versions and "_before" not in asked else None
    return Response(200, page("history", [history_entry(one, request.base) for one in versions], links, total))


def _numbers(query: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Returns the parameters of a history. Raises BadRequest for an unknown one and for what is no count."""
    for name, value in query:
        if name not in KNOWN:
            raise BadRequest(f"{name} is no parameter of history here; known are {', '.join(KNOWN)}.")
        if not (value.isascii() and value.isdigit() and 0 < int(value[:10]) < 10**9):
            raise BadRequest(f"{name} is {value[:60]!r}, which is no count.")
    return {name: int(value) for name, value in query}
