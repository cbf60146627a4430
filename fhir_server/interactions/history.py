"""history of one resource, of a type, of all: https://hl7.org/fhir/R4/http.html#history"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from fhir_server.access.condition import condition
from fhir_server.bundle.page import history_entry, links, page
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.outcome import BadRequest, NotFound
from fhir_server.search.page import position, token
from fhir_server.search.parameters.date import span
from fhir_server.store.past import Asked, PastPage, Spot
from fhir_server.store.plan import Position

PAGE = 100


def history(request: Request, context: Context) -> Response:
    """Returns versions of the resource, type or system that is asked about, newest first, deletes included.

    A page holds up to `_count`; `_since` and `_at` narrow it. Raises NotFound for an id that was never used, and
    BadRequest naming the parameter.
    """
    asked = _asked(request, context)
    found = context.store.history(asked, limit_bytes=context.config.answer_limit)
    if not found.versions and request.id:
        _check_known(request, asked, context)
    entries = [history_entry(one, request.base) for one in found.versions]
    behind = _token(found.more, request, context) if found.more else ""
    said = links(f"{request.base}/{_where(request)}", [*request.query, *request.shown], behind)
    return Response(200, page("history", entries, said, _total(asked, found)))


def _asked(request: Request, context: Context) -> Asked:
    types = [request.type] if request.type else []
    asked = Asked(condition(request.caller), types, request.id, limit=min(PAGE, context.config.page_limit))
    for name, value in request.query:
        if name not in PARAMETERS:
            raise BadRequest(f"{name[:60]} is no parameter of history here; known are {', '.join(PARAMETERS)}.",
                             expression=f"http.{name[:60]}")
        if sum(name == other for other, _ in request.query) > 1:
            raise BadRequest(f"{name} is given more than once.", expression=f"http.{name}")
        asked = PARAMETERS[name](asked, value, request, context)
    return asked


def _count(asked: Asked, value: str, request: Request, context: Context) -> Asked:
    return replace(asked, limit=count(value, context))


def _since(asked: Asked, value: str, request: Request, context: Context) -> Asked:
    return replace(asked, since=period("_since", value, context)[0])


def _at(asked: Asked, value: str, request: Request, context: Context) -> Asked:
    return replace(asked, at=period("_at", value, context))


def _page(asked: Asked, value: str, request: Request, context: Context) -> Asked:
    return replace(asked, after=_spot(position(value, _identity(request), context.page_key, context.now())))


PARAMETERS: Mapping[str, Callable[[Asked, str, Request, Context], Asked]] = {
    "_count": _count, "_since": _since, "_at": _at, "_page": _page}


def count(value: str, context: Context) -> int:
    """Returns the size of a page that `_count` asks for. Raises BadRequest."""
    if not (value.isascii() and value.isdigit() and 0 < int(value[:10]) < 10**9):
        raise BadRequest(f"_count is {value[:60]!r}, which is no count.", expression="http._count")
    return min(int(value), context.config.page_limit)


def period(name: str, value: str, context: Context) -> tuple[datetime, datetime]:
    """Returns what the date in a parameter covers, the end not included. Raises BadRequest that names it."""
    try:
        return span(value, context.index.zone)
    except ValueError:
        raise BadRequest(f"{name} is {value[:60]!r}, which is no date such as 2024, 2024-05-01 or "
                         "2024-05-01T09:30:00+09:00.", expression=f"http.{name}") from None


def _check_known(request: Request, asked: Asked, context: Context) -> None:
    if asked.after is None and context.store.get(request.type, request.id, asked.may_see) is None:
        raise NotFound(f"There is no {request.type}/{request.id}.")


def _total(asked: Asked, found: PastPage) -> int | None:
    """The total where it costs nothing: versions are numbered from 1, or this is all there is."""
    if asked.after:
        return None
    if asked.id and found.versions and not (asked.since or asked.at or asked.may_see):
        return found.versions[0].version
    return None if found.more else len(found.versions)


def _where(request: Request) -> str:
    return "/".join(filter(None, (request.type, request.id, "_history")))


def _identity(request: Request) -> str:
    """What a page token is good for: this history, whatever the size of the page."""
    return f"{_where(request)}?{urlencode([pair for pair in request.query if pair[0] not in ('_count', '_page')])}"


def _token(spot: Spot, request: Request, context: Context) -> str:
    behind = Position((spot.updated, spot.type, str(spot.version)), spot.id)
    return token(behind, _identity(request), context.page_key, context.now())


def _spot(found: Position) -> Spot:
    updated, type_, version = found.values
    assert isinstance(updated, datetime)
    return Spot(updated, str(type_), found.id, int(str(version)))
