"""$everything: a patient or an encounter, all in its compartment, and what that refers to.

https://hl7.org/fhir/R4/operation-patient-everything.html · https://hl7.org/fhir/R4/operation-encounter-everything.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from fhir_server.access.condition import condition
from fhir_server.bundle.page import links, outcome_entry, page, search_entry
from fhir_server.context import Context
from fhir_server.exchange import Request, Response
from fhir_server.interactions.history import count, period
from fhir_server.interactions.include import included
from fhir_server.interactions.posted import Pair, parameters
from fhir_server.interactions.read import read
from fhir_server.interactions.scope import Row, Scope
from fhir_server.outcome import BadRequest, NotFound
from fhir_server.search.compartment import has_itself, within
from fhir_server.search.criteria import Include
from fhir_server.search.include import ANY, shown
from fhir_server.search.page import position, token
from fhir_server.search.parameters.date import span
from fhir_server.search.query import parse
from fhir_server.search.searchable import searchable
from fhir_server.store.find import Deadline
from fhir_server.store.plan import Filter, Plan, Position, Range

_SHARED = ("Device", "HealthcareService", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole",
           "Substance")
# Outside the compartment, but of everything all the same where something in it refers to them.
REFERRED: Mapping[str, Sequence[str]] = {"Patient": _SHARED, "Encounter": ("Patient", *_SHARED)}


@dataclass(frozen=True)
class _Asked:
    """What is asked for: `types` to be told, () all; `start` and `end` of care, as dates; updates `since`."""

    limit: int
    types: Sequence[str] = ()
    start: str = ""
    end: str = ""
    since: datetime | None = None
    after: Position | None = None

    def tells(self, type_: str) -> bool:
        return not self.types or type_ in self.types


@dataclass(frozen=True)
class _Walk:
    """The way through a compartment, type by type; a page starts in one step and ends in another."""

    asked: _Asked
    steps: Sequence[Scope]
    includes: Sequence[Include]
    may_see: Sequence[str]
    context: Context


def everything(request: Request, context: Context) -> Response:
    """Returns a searchset: the resource, its compartment, what these refer to; pages of `_count`, links to go on.

    Raises NotFound, Gone, and BadRequest naming the parameter.
    """
    if request.type not in REFERRED:
        raise NotFound(f"$everything is not defined for {request.type}.")
    read(replace(request, if_none_match="", if_modified_since=None), context)
    said = parameters(request)
    asked = _asked(said, request, context)
    walk = _walk(asked, request, context)
    deadline = Deadline.after()
    rows, more = _rows(walk, deadline)
    added = included(walk.includes, rows, request, context, deadline)
    told = [one for one in rows if asked.tells(one.type)]
    entries = [search_entry(one.type, one.found.id, one.found.raw, request.base) for one in told]
    entries += [search_entry(one.type, one.found.id, one.found.raw, request.base, "include") for one in added.rows]
    if added.issues:
        entries.append(outcome_entry(added.issues))
    behind = token(more, _identity(request, said), context.page_key, context.now()) if more else ""
    where = f"{request.base}/{request.type}/{request.id}/$everything"
    return Response(200, page("searchset", entries, links(where, [*said, *request.shown], behind),
                              None if more or asked.after else len(told)))


def _asked(said: Sequence[Pair], request: Request, context: Context) -> _Asked:
    known = _known(request.type, context)
    asked = _Asked(context.config.page_limit)
    for name, value in said:
        if name not in known:
            raise BadRequest(f"{name[:60]} is no parameter of $everything here; known are {', '.join(known)}.",
                             expression=f"http.{name[:60]}")
        if name == _TOKEN:
            asked = replace(asked, after=position(value, _identity(request, said), context.page_key, context.now()))
        else:
            asked = PARAMETERS[name](asked, value, context)
    return asked


_TOKEN = "_page"


def _known(type_: str, context: Context) -> Sequence[str]:
    """What the definition of the operation lets in, and the page."""
    [defined] = [one for one in context.definitions.operations if one.id == f"{type_}-everything"]
    return [*(one.name for one in defined.parameters if one.use == "in"), _TOKEN]


def _count(asked: _Asked, value: str, context: Context) -> _Asked:
    return replace(asked, limit=count(value, context))


def _type(asked: _Asked, value: str, context: Context) -> _Asked:
    types = value.split(",")
    for one in types:
        if one not in context.definitions.resource_types:
            raise BadRequest(f"_type: there is no resource type {one[:60]!r}.", expression="http._type")
    return replace(asked, types=(*asked.types, *types))


def _since(asked: _Asked, value: str, context: Context) -> _Asked:
    return replace(asked, since=period("_since", value, context)[0])


def _start(asked: _Asked, value: str, context: Context) -> _Asked:
    period("start", value, context)
    return replace(asked, start=value)


def _end(asked: _Asked, value: str, context: Context) -> _Asked:
    period("end", value, context)
    return replace(asked, end=value)


PARAMETERS: Mapping[str, Callable[[_Asked, str, Context], _Asked]] = {
    "start": _start, "end": _end, "_since": _since, "_type": _type, "_count": _count}


def _walk(asked: _Asked, request: Request, context: Context) -> _Walk:
    """What refers to a type that is asked for must be walked through, also where it is not told itself."""
    referred = [one for one in REFERRED[request.type] if asked.tells(one)]
    steps = [one for one in _steps(request, context) if referred or asked.tells(one.type)]
    return _Walk(asked, steps, [Include(ANY, ANY, one) for one in referred], condition(request.caller), context)


def _steps(request: Request, context: Context) -> Iterator[Scope]:
    yield Scope(request.type, only=request.id)
    for type_ in context.definitions.compartment(request.type):
        if not has_itself(request.type, type_, context.definitions):
            yield Scope(type_, within(request.type, request.id, type_, context.definitions))


def _rows(walk: _Walk, deadline: Deadline) -> tuple[list[Row], Position | None]:
    """The rows of one page, and where the next one starts: behind a row of a step, or at the start of one."""
    rows: list[Row] = []
    left = walk.context.config.answer_limit
    first, behind = _place(walk.asked.after)
    for step in range(first, len(walk.steps)):
        room = walk.asked.limit - len(rows)
        plan = replace(_plan(walk, walk.steps[step]), after=behind if step == first else None, limit=max(room, 1))
        found = walk.context.store.find(plan, deadline, max(left, 1))
        if found.rows and (room < 1 or rows and len(found.rows[0].raw) > left):
            return rows, Position((str(step),), "")
        rows += [Row(plan.type, one) for one in found.rows]
        left -= sum(len(one.raw) for one in found.rows)
        if found.more:
            return rows, Position((str(step), *found.more.values), found.more.id)
    return rows, None


def _place(after: Position | None) -> tuple[int, Position | None]:
    """The step a page starts in, and the row of it that it starts behind."""
    if after is None:
        return 0, None
    step, *values = after.values
    return int(str(step)), Position(values, after.id) if values else None


def _plan(walk: _Walk, scope: Scope) -> Plan:
    """The newest first, by the clinical date."""
    asked, definitions = walk.asked, walk.context.definitions
    by_id: Filter = {"_id": scope.only}
    return Plan(
        type=scope.type,
        keys=[*((one,) for one in walk.may_see), *([scope.within] if scope.within else [])],
        rest=[*([by_id] if scope.only else []), *([{"ts": {"$gte": asked.since}}] if asked.since else []),
              *_period(walk, scope)],
        ranges=[Range(by_id, "id")] if scope.only else [],
        shown=shown(walk.includes, scope.type, definitions),
    )


def _period(walk: _Walk, scope: Scope) -> Iterator[Filter]:
    """Care within `start` and `end`, or reaching into it; what tells no date of care was of its last update."""
    clinical = searchable(scope.type, walk.context.definitions).clinical
    zone = walk.context.index.zone
    if not clinical or scope.only:
        return
    if walk.asked.start:
        reaching = parse(scope.type, [(clinical, f"ge{walk.asked.start}")], walk.context.definitions, zone=zone)
        yield {"$or": [{"d": {"$gte": span(walk.asked.start, zone)[0]}}, *(one.filter for one in reaching.terms)]}
    if walk.asked.end:
        yield {"d": {"$lt": span(walk.asked.end, zone)[1]}}


def _identity(request: Request, said: Sequence[Pair]) -> str:
    """What a page token is good for: this everything, whatever the size of the page."""
    return f"{request.type}/{request.id}/$everything?" + urlencode(
        [pair for pair in said if pair[0] not in (_TOKEN, "_count")])
