"""search on one type and on several: https://hl7.org/fhir/R4/http.html#search · https://hl7.org/fhir/R4/search.html"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from fhir_server.access.condition import condition
from fhir_server.bundle.page import Link, outcome_entry, page, search_entry
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.interactions.include import included
from fhir_server.interactions.scope import Matches, Scope, merged, of_one_type
from fhir_server.outcome import BadRequest, Issue
from fhir_server.search.query import Pair, Query, parse
from fhir_server.store.find import Deadline

_TYPE = "_type"


def search_type(request: Request, context: Context) -> Response:
    """Returns a searchset: what was found, how to go on, what was really searched.

    Raises BadRequest and NotSupported naming the parameter, TooCostly.
    """
    return searchset([Scope(request.type)], request, context, request.type)


def search_system(request: Request, context: Context) -> Response:
    """Returns a searchset of the types in `_type`, or of all; raises as search_type does."""
    condition(request.caller)
    types = types_asked(request, context) or context.definitions.resource_types
    return searchset([Scope(one) for one in types], request, context)


def types_asked(request: Request, context: Context) -> Sequence[str]:
    """Returns the types in `_type`, each once. Raises BadRequest for what is none."""
    types = [one for name, value in request.query if name == _TYPE for one in value.split(",")]
    for one in types:
        if one not in context.definitions.resource_types:
            raise BadRequest(f"_type: there is no resource type {one[:60]!r}.", expression="http._type")
    return tuple(dict.fromkeys(types))


def searchset(scopes: Sequence[Scope], request: Request, context: Context, path: str = "") -> Response:
    """Returns a searchset of all that the scopes hold and the query of `request` asks for.

    path  where the search stands below the base: `Observation`, `Patient/p1/*`; "" the base itself
    What is found in several scopes, one for each type, comes in the order of its last update, the newest first.
    """
    may_see = condition(request.caller)
    deadline = Deadline.after()
    queries = _queries(scopes, request, context, path)
    query = queries[0]
    found = (of_one_type if len(scopes) == 1 and path else merged)(scopes, queries, may_see, context, deadline)
    entries = [search_entry(one.type, one.found.id, one.found.raw, request.base) for one in found.rows]
    issues = [Issue(text, "not-supported", severity="warning") for text in query.ignored]
    if query.includes and found.rows:
        added = included(query.includes, found.rows, request, context, deadline)
        entries += [search_entry(one.type, one.found.id, one.found.raw, request.base, "include") for one in added.rows]
        issues += added.issues
    if issues:
        entries.append(outcome_entry(issues))
    return Response(200, page("searchset", entries, list(_links(query, found, request, context, path)), found.total))


def _queries(scopes: Sequence[Scope], request: Request, context: Context, path: str) -> Sequence[Query]:
    """One query for each scope. What a lenient search leaves out for one type it leaves out for all."""
    # A path that names a type needs no _type: there it is as unknown as any other word.
    said = [pair for pair in request.query if pair[0] != _TYPE or not _is_wide(path)]
    types = tuple(one.type for one in scopes)
    queries = [_query(one, said, types, request, context, path) for one in types]
    ignored = tuple(dict.fromkeys(text for one in queries for text in one.ignored))
    if len(queries) == 1 or not ignored:
        return queries
    kept = [pair for pair in said if all(_is_used(pair[0], one) for one in queries)]
    return [replace(_query(one, kept, types, request, context, path), ignored=ignored) for one in types]


def _is_wide(path: str) -> bool:
    """Tells whether a path leaves open what type is searched for: the base, `Patient/p1/*`."""
    return not path or path.endswith("/*")


def _is_used(name: str, query: Query) -> bool:
    return name == "_page" or any(name == one for one, _ in query.used)


def _query(
    type_: str, said: Sequence[Pair], types: Sequence[str], request: Request, context: Context, path: str
) -> Query:
    return parse(
        type_, said, context.definitions, request.prefer.get("handling") == "lenient", key=context.page_key,
        now=context.now, base=request.base, count_limit=context.config.page_limit, types=types, path=path,
        codes=context.codes(condition(request.caller)))


def _links(query: Query, found: Matches, request: Request, context: Context, path: str) -> Iterator[Link]:
    where = f"{request.base}/{path}" if path else request.base
    narrowed = [pair for pair in request.query if pair[0] == _TYPE] if _is_wide(path) else []
    said = [f"{_quoted(name)}={_quoted(value)}" for name, value in (*narrowed, *query.used, *request.shown)]
    yield Link("self", "?".join(filter(None, (where, "&".join(said)))))
    if found.more:
        said.append(f"_page={query.page(found.more, context.page_key, context.now())}")
        yield Link("next", f"{where}?{'&'.join(said)}")


# Legible in a query as they are; commas and bars are what searches are made of.
SHOWN = ":/,|$-"
_PLAIN = re.compile(r"[A-Za-z0-9_.~:/,|$-]*", re.ASCII)


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else quote(text, SHOWN)
