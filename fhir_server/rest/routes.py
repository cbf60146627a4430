"""The RESTful API as one table: method + path → interaction. Bundle entries are resolved by the same table.

https://hl7.org/fhir/R4/http.html#summary
"""

import re
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from fhir_server.context import Context
from fhir_server.definitions.registry import Definitions
from fhir_server.exchange import Request, Response, pairs
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.compartment import ANY, search_compartment
from fhir_server.interactions.history import history
from fhir_server.interactions.operations import OPERATIONS
from fhir_server.interactions.read import read
from fhir_server.interactions.search import search_system, search_type
from fhir_server.interactions.transaction import transaction
from fhir_server.interactions.vread import vread
from fhir_server.interactions.write import create, delete, patch, update
from fhir_server.outcome import BadRequest, MethodNotAllowed, NotFound
from fhir_server.shape import counting, shape, shaped

INTERACTIONS: Mapping[str, Callable[[Request, Context], Response]] = {
    "capabilities": capabilities,
    "transaction": transaction,
    "read": read,
    "vread": vread,
    "history-instance": history,
    "history-type": history,
    "history-system": history,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "search-type": search_type,
    "search-system": search_system,
    "search-compartment": search_compartment,
    **{f"${code}": one.run for code, one in OPERATIONS.items()},
}

ROUTES = (
    ("GET", "metadata", "capabilities"),
    ("POST", "", "transaction"),
    ("GET", "", "search-system"),
    ("POST", "_search", "search-system"),
    ("GET", "_history", "history-system"),
    ("GET", "{type}", "search-type"),
    ("POST", "{type}", "create"),
    ("POST", "{type}/_search", "search-type"),
    ("GET", "{type}/_history", "history-type"),
    ("GET", "{type}/{id}", "read"),
    ("PUT", "{type}", "update"),
    ("PATCH", "{type}", "patch"),
    ("DELETE", "{type}", "delete"),
    ("PUT", "{type}/{id}", "update"),
    ("PATCH", "{type}/{id}", "patch"),
    ("DELETE", "{type}/{id}", "delete"),
    ("GET", "{type}/{id}/_history", "history-instance"),
    *((verb, f"{{type}}/{{id}}/${code}", f"${code}") for code in OPERATIONS for verb in ("GET", "POST")),
    ("GET", "{type}/{id}/{member}", "search-compartment"),
    ("POST", "{type}/{id}/{member}/_search", "search-compartment"),
    ("GET", "{type}/{id}/_history/{version}", "vread"),
)

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}\Z")

Resolve = Callable[[str, str, Request], Request]


def resolver(definitions: Definitions) -> Resolve:
    """Returns the function that fills in what `method` and `url` (relative to the base) say.

    It raises NotFound (no such path or type), MethodNotAllowed, and BadRequest (an id that cannot be one).
    """
    types = frozenset(definitions.resource_types)

    def resolve(method: str, url: str, request: Request) -> Request:
        path, _, query = url.partition("?")
        interaction, parts = _match(method, tuple(filter(None, path.split("/"))))
        found: Mapping[str, Any] = {name: unquote(part) for name, part in parts.items()}
        _check(found, types)
        return with_query(replace(request, interaction=interaction, **found), pairs(query) if query else ())

    return resolve


def with_query(request: Request, said: Sequence[tuple[str, str]]) -> Request:
    """Returns the request with more parameters: those that search, and those that say how to show what is found."""
    if not said:
        return request
    return replace(
        request,
        query=(*request.query, *(pair for pair in said if pair[0] not in SHOWING)),
        shown=(*request.shown, *(pair for pair in said if pair[0] in SHOWING)),
    )


SHOWING = frozenset(("_format", "_pretty", "_summary", "_elements"))


def _match(method: str, parts: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    possible = []
    for verb, template, interaction in BY_LENGTH.get(len(parts), ()):
        found = _fits(template, parts)
        if found is None:
            continue
        if verb == method:
            return interaction, found
        possible.append(verb)
    where = "/".join(parts)[:100]
    if possible:
        raise MethodNotAllowed(
            f"{method} is not possible on {where or 'the base'}; possible are {', '.join(possible)}.")
    raise NotFound(f"There is nothing at {where}.")


def allowed(path: str, types: Container[str]) -> list[str]:
    """Returns the methods that are possible on a path, HEAD and OPTIONS included; none where it is no path of ours."""
    parts = tuple(filter(None, path.split("/")))
    fitting = [(verb, _fits(template, parts)) for verb, template, _ in BY_LENGTH.get(len(parts), ())]
    found = [verb for verb, found in fitting if found is not None and ("type" not in found or found["type"] in types)]
    return [*dict.fromkeys(found), *(["HEAD"] if "GET" in found else []), "OPTIONS"] if found else []


_PARTS = [(verb, tuple(filter(None, template.split("/"))), interaction) for verb, template, interaction in ROUTES]
BY_LENGTH = {length: [one for one in _PARTS if len(one[1]) == length] for length in {len(one[1]) for one in _PARTS}}


def _fits(template: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    found = {}
    for wanted, given in zip(template, parts):
        if wanted[0] == "{":
            # `_history` and `$operation` are never a type or an id.
            if given[0] in "_$":
                return None
            found[wanted[1:-1]] = given
        elif wanted != given:
            return None
    return found


def _check(found: Mapping[str, str], types: frozenset[str]) -> None:
    type_, id_, member = found.get("type"), found.get("id"), found.get("member", ANY)
    for one in (type_, member if member != ANY else None):
        if one is not None and one not in types:
            raise NotFound(f"There is no resource type {one[:64]!r} in FHIR R4.")
    if id_ is not None and not ID.match(id_):
        raise BadRequest(f"{id_[:70]!r} cannot be an id: 1 to 64 of A-Z, a-z, 0-9, - and . are allowed.",
                         expression=f"{type_}.id")


def dispatch(request: Request, context: Context) -> Response:
    """Runs one interaction, and leaves of the answer the part that is asked for."""
    context = context.current
    wanted = shape(request, context.definitions) if request.shown else None
    if wanted is None:
        return INTERACTIONS[request.interaction](request, context)
    response = INTERACTIONS[request.interaction](counting(request, wanted), context)
    return shaped(response, wanted, context.definitions)
