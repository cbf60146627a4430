"""history of one resource, of a type, of all: https://hl7.org/fhir/R4/http.html#history"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from urllib.parse import quote, urlencode

from fhir_server.access.condition import condition
from fhir_server.bundle.page import Link, history_entry, page
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.outcome import BadRequest, NotFound
from fhir_server.search.page import position, token
from fhir_server.search.parameters.date import span
from fhir_server.store.past import Asked, PastPage, Spot
from fhir_server.store.plan import Position

PAGE = 100
# Legible in a link as they are.
LEGIBLE = ":-"


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
    return Response(200, page("history", entries, list(_links(request, found, context)), _total(asked, found)))


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
    if not (value.isascii() and value.isdigit() and 0 < int(value[:10]) < 10**9):
        raise BadRequest(f"_count is {value[:60]!r}, which is no count.", expression="http._count")
    return replace(asked, limit=min(int(value), context.config.page_limit))


def _since(asked: Asked, value: str, request: Request, context: Context) -> Asked:
    return replace(asked, since=_period("_since", value, context)[0])


def _at(asked: Asked, value: str, request: Request, context: Context) -> Asked:
    return replace(asked, at=_period("_at", value, context))


def _page(asked: Asked, value: str, request: Request, context: Context) -> Asked:
    return replace(asked, after=_spot(position(value, _identity(request), context.page_key, context.now())))


PARAMETERS: Mapping[str, Callable[[Asked, str, Request, Context], Asked]] = {
    "_count": _count, "_since": _since, "_at": _at, "_page": _page}


def _period(name: str, value: str, context: Context) -> tuple[datetime, datetime]:
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


def _links(request: Request, found: PastPage, context: Context) -> Iterator[Link]:
    where = f"{request.base}/{_where(request)}"
    yield Link("self", "?".join(filter(None, (where, _text((*request.query, *request.shown))))))
    if found.more:
        said = [pair for pair in request.query if pair[0] != "_page"]
        behind = token(_position(found.more), _identity(request), context.page_key, context.now())
        yield Link("next", f"{where}?{_text([*said, *request.shown, ('_page', behind)])}")


def _where(request: Request) -> str:
    return "/".join(filter(None, (request.type, request.id, "_history")))


def _text(pairs: Sequence[tuple[str, str]]) -> str:
    return urlencode(pairs, safe=LEGIBLE, quote_via=quote)


def _identity(request: Request) -> str:
    """What a page token is good for: this history, whatever the size of the page."""
    return f"{_where(request)}?{urlencode([pair for pair in request.query if pair[0] not in ('_count', '_page')])}"


def _position(spot: Spot) -> Position:
    return Position((spot.updated, spot.type, str(spot.version)), spot.id)


def _spot(found: Position) -> Spot:
    updated, type_, version = found.values
    assert isinstance(updated, datetime)
    return Spot(updated, str(type_), found.id, int(str(version)))
