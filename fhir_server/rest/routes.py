"""The RESTful API as one table: method + path → interaction. Bundle entries are resolved by the same table.

https://hl7.org/fhir/R4/http.html#summary
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from fhir_server.context import Context
from fhir_server.definitions.registry import Definitions
from fhir_server.exchange import Request, Response, pairs
from fhir_server.interactions.capabilities import capabilities
from fhir_server.interactions.history import history_instance
from fhir_server.interactions.read import read
from fhir_server.interactions.search import search_type
from fhir_server.interactions.transaction import transaction
from fhir_server.interactions.vread import vread
from fhir_server.interactions.write import create, delete, update
from fhir_server.outcome import BadRequest, MethodNotAllowed, NotFound

INTERACTIONS: Mapping[str, Callable[[Request, Context], Response]] = {
    "capabilities": capabilities,
    "transaction": transaction,
    "read": read,
    "vread": vread,
    "history-instance": history_instance,
    "create": create,
    "update": update,
    "delete": delete,
    "search-type": search_type,
}

ROUTES = (
    ("GET", "metadata", "capabilities"),
    ("POST", "", "transaction"),
    ("GET", "{type}", "search-type"),
    ("POST", "{type}", "create"),
    ("POST", "{type}/_search", "search-type"),
    ("GET", "{type}/{id}", "read"),
    ("PUT", "{type}/{id}", "update"),
    ("DELETE", "{type}/{id}", "delete"),
    ("GET", "{type}/{id}/_history", "history-instance"),
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
        return replace(request, interaction=interaction, query=tuple([*pairs(query), *request.query]), **found)

    return resolve


def _match(method: str, parts: tuple[str, ...]) -> tuple[str, dict[str, str]]:
    allowed = []
    for verb, template, interaction in ROUTES:
        found = _fits(TEMPLATES[template], parts)
        if found is None:
            continue
        if verb == method:
            return interaction, found
        allowed.append(verb)
    where = "/".join(parts)[:100]
    if allowed:
        raise MethodNotAllowed(f"{method} is not possible on {where or 'the base'}; possible are {', '.join(allowed)}.")
    raise NotFound(f"There is nothing at {where}.")


TEMPLATES = {template: tuple(filter(None, template.split("/"))) for _, template, _ in ROUTES}


def _fits(template: tuple[str, ...], parts: tuple[str, ...]) -> dict[str, str] | None:
    if len(template) != len(parts):
        return None
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
    type_, id_ = found.get("type"), found.get("id")
    if type_ is not None and type_ not in types:
        raise NotFound(f"There is no resource type {type_[:64]!r} in FHIR R4.")
    if id_ is not None and not ID.match(id_):
        raise BadRequest(f"{id_[:70]!r} cannot be an id: 1 to 64 of A-Z, a-z, 0-9, - and . are allowed.",
                         expression=f"{type_}.id")


def dispatch(request: Request, context: Context) -> Response:
    """Runs one interaction."""
    return INTERACTIONS[request.interaction](request, context)
