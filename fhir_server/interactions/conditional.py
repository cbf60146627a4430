"""Conditional create, update, patch and delete: what each comes to, once it is known what its criteria match.

https://hl7.org/fhir/R4/http.html#ccreate · #cond-update · #3.1.0.7.1
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from fhir_server.context import Context
from fhir_server.exchange import Request
from fhir_server.fhirjson import Resource
from fhir_server.matches import Matches, criteria_in
from fhir_server.outcome import BadRequest, Conflict, NotFound
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.find import Found

WRITES = frozenset(("create", "update", "patch", "delete"))


@dataclass(frozen=True)
class Settled:
    """What a write comes to.

    requests  writes of resources that are known by id: one, of a conditional delete any number
    found     what is there already, so that there is nothing to create
    """

    requests: Sequence[Request] = ()
    found: Found | None = None


def is_conditional(request: Request) -> bool:
    """Tells whether a write needs to know what criteria match."""
    return bool(request.if_none_exist) if request.interaction == "create" else not request.id


def settle(request: Request, matches: Matches, context: Context) -> Settled:
    """Returns what the write comes to; what is created has an id.

    Raises PreconditionFailed where too many match, BadRequest for criteria that are none.
    """
    if is_conditional(request):
        return SETTLE[request.interaction](request, matches, context)
    made = replace(request, id=context.new_id()) if request.interaction == "create" else request
    return Settled([made])


def _create(request: Request, matches: Matches, context: Context) -> Settled:
    place = f"{request.place}.request.ifNoneExist" if request.place else ""
    found = matches.one(request.type, criteria_in(request.if_none_exist), place)
    return Settled(found=found) if found else Settled([replace(request, id=context.new_id())])


def _update(request: Request, matches: Matches, context: Context) -> Settled:
    found = matches.one(request.type, request.query, _place(request))
    given = _id(request)
    if found is None:
        return Settled([_as_create(request, given, context)])
    if given and given != found.id:
        raise BadRequest(f"The criteria match {request.type}/{found.id}, the id in the resource is {given[:64]}.",
                         expression=f"{request.place}.resource.id" if request.place else f"{request.type}.id")
    return Settled([_named(request, found.id)])


def _as_create(request: Request, given: str, context: Context) -> Request:
    """An id that the client has chosen must be free: what stands there does not match."""
    if not given:
        made = _named(request, context.new_id())
        return replace(made, interaction="create") if request.if_match is None else made
    standing = context.store.get(request.type, given, UNRESTRICTED)
    if standing and not standing.deleted:
        raise Conflict(f"Nothing matches the criteria, but there is a {request.type}/{given[:64]} that does not.",
                       expression=_place(request) or None)
    return replace(_named(request, given), if_none_match="*")


def _id(request: Request) -> str:
    resource = request.resource
    given = resource.get("id") if isinstance(resource, dict) else None
    return given if isinstance(given, str) else ""


def _named(request: Request, id_: str) -> Request:
    resource: Resource | None = request.resource and {**request.resource, "id": id_}
    return replace(request, id=id_, resource=resource)


def _patch(request: Request, matches: Matches, context: Context) -> Settled:
    found = matches.one(request.type, request.query, _place(request))
    if found is None:
        raise NotFound(f"No {request.type} matches the criteria.", expression=_place(request) or None)
    return Settled([replace(request, id=found.id)])


def _delete(request: Request, matches: Matches, context: Context) -> Settled:
    found = matches.all(request.type, request.query, context.config.conditional_delete_limit, _place(request))
    return Settled([replace(request, id=one.id) for one in found])


def refuse_overlap(asked: Sequence[Request], settled: Sequence[Settled]) -> None:
    """Raises BadRequest where two writes of a transaction are about one resource, whichever way they name it."""
    seen: dict[object, str] = {}
    for request, one in zip(asked, settled):
        for identity in _identities(request, one):
            if seen.setdefault(identity, request.place) != request.place:
                raise BadRequest(f"This entry and {seen[identity]} are about the same resource.",
                                 expression=request.place)
    named = {(one.type, one.id): one.place for some in settled for one in some.requests}
    for request, one in zip(asked, settled):
        if one.found and (request.type, one.found.id) in named:
            raise BadRequest(f"This entry and {named[request.type, one.found.id]} are about the same resource.",
                             expression=request.place)


def _identities(request: Request, settled: Settled) -> list[object]:
    """The resources it writes, and the criteria by which it creates one: another would create a second."""
    ids: list[object] = [(one.type, one.id) for one in settled.requests]
    if not (is_conditional(request) and settled.requests and request.interaction in ("create", "update")):
        return ids
    criteria = criteria_in(request.if_none_exist) if request.interaction == "create" else request.query
    return [*ids, (request.type, tuple(sorted(criteria)))]


def _place(request: Request) -> str:
    return f"{request.place}.request.url" if request.place else ""


SETTLE: Mapping[str, Callable[[Request, Matches, Context], Settled]] = {
    "create": _create,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
}
