"""search on one type: https://hl7.org/fhir/R4/http.html#search · https://hl7.org/fhir/R4/search.html"""

from collections.abc import Iterator
from urllib.parse import quote

from fhir_server.access.condition import condition
from fhir_server.bundle.page import Link, outcome_entry, page, search_entry
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.search.plan import plan
from fhir_server.search.query import Query, parse
from fhir_server.store.find import Deadline, Page


def search_type(request: Request, context: Context) -> Response:
    """Returns a searchset: what was found, how to go on, what was really searched.

    Raises BadRequest and NotSupported naming the parameter, TooCostly.
    """
    may_see = condition(request.caller)
    query = _query(request, context)
    wanted = plan(query, may_see)
    deadline = Deadline.after()
    found = context.store.find(wanted, deadline, context.config.answer_limit) if query.count else Page((), None)
    entries = [search_entry(query.type, one.id, one.raw, request.base) for one in found.rows]
    if query.ignored:
        entries.append(outcome_entry(query.ignored))
    total = context.store.count(wanted, deadline) if query.total or not query.count else _whole(query, found)
    return Response(200, page("searchset", entries, list(_links(query, found, request, context)), total))


def _query(request: Request, context: Context) -> Query:
    return parse(
        request.type, request.query, context.definitions, request.prefer.get("handling") == "lenient",
        key=context.page_key, now=context.now, base=request.base, count_limit=context.config.page_limit)


def _whole(query: Query, found: Page) -> int | None:
    """The total where it costs nothing: the first page is also the last."""
    return len(found.rows) if query.after is None and found.more is None else None


def _links(query: Query, found: Page, request: Request, context: Context) -> Iterator[Link]:
    where = f"{request.base}/{query.type}"
    said = [f"{quote(name, ':')}={quote(value, SHOWN)}" for name, value in query.used]
    yield Link("self", "?".join(filter(None, (where, "&".join(said)))))
    if found.more:
        said.append(f"_page={query.page(found.more, context.page_key, context.now())}")
        yield Link("next", f"{where}?{'&'.join(said)}")


# Legible in a query as they are; commas and bars are what searches are made of.
SHOWN = ":/,|$-"
