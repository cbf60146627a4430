"""create, update and delete: each describes a change, `transact` makes it.

https://hl7.org/fhir/R4/http.html#create · #update · #delete
"""

from collections.abc import Callable, Mapping

from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import Resource, encode
from fhir_server.outcome import BadRequest, NotSupported, informational
from fhir_server.transact import Change, Create, Delete, Done, Update, transact

STATUS = {"created": 201, "updated": 200, "unchanged": 200, "deleted": 204, "absent": 204}


def create(request: Request, context: Context) -> Response:
    """Stores the resource under a new id. Raises Unprocessable, TooLarge."""
    return _write(request, context)


def update(request: Request, context: Context) -> Response:
    """Stores the resource under the id of the URL, creating it where there is none. Raises PreconditionFailed."""
    return _write(request, context)


def delete(request: Request, context: Context) -> Response:
    """Deletes the resource; once more, or where nothing was, is no error."""
    return _write(request, context)


def _write(request: Request, context: Context) -> Response:
    [done] = transact([change(request)], context, request.caller)
    return answer(done, request)


def change(request: Request) -> Change:
    """Returns the change a create, update or delete asks for. Raises BadRequest where body and URL disagree."""
    condition(request.caller)
    place = f"{request.place}.resource" if request.place else ""
    if request.interaction == "delete":
        return Delete(request.type, request.id, request.if_match, request.place)
    resource = _body(request)
    if request.if_none_exist:
        raise NotSupported("A conditional create (If-None-Exist) is not supported.",
                           expression=f"{request.place}.request.ifNoneExist" if request.place else None)
    if request.interaction == "create":
        return Create(resource, request.id, place)
    if resource.get("id") != request.id:
        raise BadRequest(f"The id in the URL is {request.id}, in the resource {_shown(resource.get('id'))}.",
                         expression=f"{place or request.type}.id")
    return Update(resource, request.if_match, request.if_none_match == "*", place)


def _body(request: Request) -> Resource:
    place = f"{request.place}.resource" if request.place else None
    if request.resource is None:
        raise BadRequest(f"The {request.interaction} of a {request.type} needs the resource.", expression=place)
    given = request.resource.get("resourceType")
    if given != request.type:
        raise BadRequest(f"The URL names {request.type}, the resource is {_shown(given)}.",
                         expression=f"{place or request.type}.resourceType")
    return request.resource


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)[:60]


def answer(done: Done, request: Request) -> Response:
    """Returns the response to a write, with the body that `Prefer: return` asks for."""
    version = done.version
    if version is None:
        return Response(STATUS[done.action])
    body = b"" if version.deleted else BODIES[request.prefer.get("return", "representation")](version.raw, done.action)
    return Response(STATUS[done.action], body, version.type, version.id, version.version, version.updated)


BODIES: Mapping[str, Callable[[bytes, str], bytes]] = {
    "representation": lambda raw, action: raw,
    "minimal": lambda raw, action: b"",
    "OperationOutcome": lambda raw, action: encode(informational(f"The resource was {action}.")),
}
