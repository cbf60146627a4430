"""create, update, patch and delete: each describes a change, `transact` makes it.

https://hl7.org/fhir/R4/http.html#create · #update · #patch · #delete
"""

from collections.abc import Callable, Mapping
from functools import partial

from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import Resource, encode
from fhir_server.interactions.conditional import Settled, is_conditional, settle
from fhir_server.matches import Matches, decided
from fhir_server.outcome import BadRequest, informational
from fhir_server.patch.patch import patched
from fhir_server.patch.rules import Rules
from fhir_server.store.find import Found
from fhir_server.transact import Change, Create, Delete, Done, Patch, Update, transact

STATUS = {"created": 201, "updated": 200, "unchanged": 200, "deleted": 204, "absent": 204}


def create(request: Request, context: Context) -> Response:
    """Stores the resource under a new id. Raises Unprocessable, TooLarge.

    With If-None-Exist only where nothing matches; else returns the match. Raises PreconditionFailed for several.
    """
    return _write(request, context)


def update(request: Request, context: Context) -> Response:
    """Stores the resource under the id of the URL, creating it where there is none. Raises PreconditionFailed.

    Without an id, in the place of the one that matches the query.
    """
    return _write(request, context)


def patch(request: Request, context: Context) -> Response:
    """Changes parts of what is stored. Raises NotFound, Gone, PreconditionFailed, Unprocessable."""
    return _write(request, context)


def delete(request: Request, context: Context) -> Response:
    """Deletes the resource; once more, or where nothing was, is no error. Without an id, what matches the query."""
    return _write(request, context)


def _write(request: Request, context: Context) -> Response:
    condition(request.caller)
    if is_conditional(request):
        return decided(partial(_conditional, request, context), context, request.caller, request.base)
    [done] = transact([change(request, context)], context, request.caller)
    return answer(done, request)


def _conditional(request: Request, context: Context, matches: Matches) -> Response:
    settled = settle(request, matches, context)
    changes = [change(one, context) for one in settled.requests]
    done = transact(changes, context, request.caller, given=matches.given)
    return settled_answer(settled, done, request)


def settled_answer(settled: Settled, done: list[Done], request: Request) -> Response:
    """Returns the response to a write of which it is known what its criteria match: to one change, several or none."""
    if settled.found:
        return _found(request.type, settled.found, request)
    return answer(done[0], request) if len(done) == 1 else Response(204)


def change(request: Request, context: Context) -> Change:
    """Returns the change a write asks for. Raises BadRequest where body and URL disagree, or for a broken patch."""
    place = f"{request.place}.resource" if request.place else ""
    if request.interaction == "delete":
        return Delete(request.type, request.id, request.if_match, request.place)
    if request.interaction == "patch":
        rules = Rules(context.definitions, context.validator.check, context.config.resource_limit)
        apply = patched(request.patch, request.resource, rules, place)
        return Patch(request.type, request.id, apply, request.if_match, place)
    resource = _body(request)
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
    resource: Resource = request.resource
    return resource


def _shown(value: object) -> str:
    return "missing" if value is None else repr(value)[:60]


def answer(done: Done, request: Request) -> Response:
    """Returns the response to a write, with the body that `Prefer: return` asks for."""
    version = done.version
    if version is None:
        return Response(STATUS[done.action])
    body = b"" if version.deleted else _preferred(version.raw, done.action, request)
    return Response(STATUS[done.action], body, version.type, version.id, version.version, version.updated)


def _found(type_: str, found: Found, request: Request) -> Response:
    return Response(200, _preferred(found.raw, "there already", request), type_, found.id, found.version, found.updated)


def _preferred(raw: bytes, action: str, request: Request) -> bytes:
    return BODIES[request.prefer.get("return", "representation")](raw, action)


BODIES: Mapping[str, Callable[[bytes, str], bytes]] = {
    "representation": lambda raw, action: raw,
    "minimal": lambda raw, action: b"",
    "OperationOutcome": lambda raw, action: encode(informational(f"The resource was {action}.")),
}
