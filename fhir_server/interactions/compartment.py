"""search in a compartment, `Patient/p1/Observation?code=…` or `Patient/p1/*`: all that belongs to one resource.

https://hl7.org/fhir/R4/http.html#vsearch · https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from collections.abc import Sequence

from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.interactions.scope import Scope
from fhir_server.interactions.search import searchset, types_asked
from fhir_server.outcome import BadRequest, NotFound
from fhir_server.search.compartment import has_itself, within

ANY = "*"


def search_compartment(request: Request, context: Context) -> Response:
    """Returns a searchset of what is in the compartment of one resource, of type `member` or, for `*`, of any.

    Raises NotFound where a type has no compartment, or the other type is never in it; and as search_type does.
    """
    condition(request.caller)
    scopes = [_scope(one, request, context) for one in _types(request, context)]
    return searchset(scopes, request, context, f"{request.type}/{request.id}/{request.member}")


def _types(request: Request, context: Context) -> Sequence[str]:
    if request.type not in context.definitions.compartments:
        raise NotFound(f"There is no compartment of {request.type}.")
    members = context.definitions.compartment(request.type)
    if request.member != ANY:
        if request.member not in members:
            raise NotFound(f"{request.member} is never in the compartment of {request.type}.")
        return [request.member]
    asked = types_asked(request, context) or tuple(members)
    for one in asked:
        if one not in members:
            raise BadRequest(f"_type: {one} is never in the compartment of {request.type}.", expression="http._type")
    return asked


def _scope(type_: str, request: Request, context: Context) -> Scope:
    if has_itself(request.type, type_, context.definitions):
        return Scope(type_, only=request.id)
    return Scope(type_, within(request.type, request.id, type_, context.definitions))
