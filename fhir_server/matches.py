"""What the criteria of conditional interactions match, each asked once, and remembered for the write to hold true.

https://hl7.org/fhir/R4/http.html#ccreate · #cond-update · https://hl7.org/fhir/R4/http.html#trules
"""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from fhir_server.access.caller import Caller
from fhir_server.access.condition import condition
from fhir_server.context import Context
from fhir_server.exchange import pairs
from fhir_server.outcome import BadRequest, Conflict, FHIRError, PreconditionFailed
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.store.find import Found
from fhir_server.store.plan import Plan
from fhir_server.store.store import Outdated
from fhir_server.store.unit import Given

ATTEMPTS = 20
PAUSE, LONGEST_PAUSE = 0.002, 0.25
# They shape the answer of a search; none says what a resource must meet.
SHAPING = frozenset((
    "_sort", "_count", "_page", "_total", "_include", "_revinclude", "_summary", "_elements", "_contained",
    "_containedType",
))

Pairs = Sequence[tuple[str, str]]
T = TypeVar("T")


@dataclass(frozen=True)
class Match:
    """What criteria asked for and found."""

    plan: Plan
    rows: Sequence[Found]


@dataclass(frozen=True)
class Matches:
    """Asks what criteria match, for one attempt of one write. `base` is the server's own."""

    context: Context
    caller: Caller
    base: str
    asked: dict[tuple[str, tuple[tuple[str, str], ...], int], Match] = field(default_factory=dict)

    @property
    def given(self) -> list[Given]:
        """All that was found, for the store to hold it against what is so when it writes."""
        return [Given(one.plan, frozenset(row.id for row in one.rows)) for one in self.asked.values()]

    def one(self, type_: str, criteria: Pairs, place: str = "") -> Found | None:
        """Returns the only match, None where there is none. Raises PreconditionFailed for several.

        place  where the criteria stand: `Bundle.entry[3].request.url`
        """
        found = self.all(type_, criteria, 1, place)
        return found[0] if found else None

    def all(self, type_: str, criteria: Pairs, limit: int, place: str = "") -> Sequence[Found]:
        """Returns the matches. Raises PreconditionFailed for more than `limit`."""
        found = self.match(type_, criteria, limit, place).rows
        if len(found) > limit:
            several = "several resources" if limit == 1 else f"more than {limit} resources"
            raise PreconditionFailed(f"The criteria match {several} of type {type_}.", expression=place or None)
        return found

    def match(self, type_: str, criteria: Pairs, limit: int, place: str = "") -> Match:
        """Returns up to one more than `limit` matches, and how they were searched.

        Raises BadRequest and NotSupported for what is no criterion, never ignored here; PreconditionFailed for none.
        """
        key = (type_, tuple(criteria), limit)
        if key not in self.asked:
            wanted = self._plan(type_, criteria, limit + 1, place)
            self.asked[key] = Match(wanted, self.context.store.find(wanted).rows)
        return self.asked[key]

    def _plan(self, type_: str, criteria: Pairs, limit: int, place: str) -> Plan:
        if not criteria:
            raise PreconditionFailed(f"Criteria that any {type_} meets are none.", expression=place or None)
        for name, _ in criteria:
            if name in SHAPING:
                raise BadRequest(f"{name} is no criterion.", expression=place or f"http.{name}")
        context, may_see = self.context, condition(self.caller)
        try:
            query = parse(type_, criteria, context.definitions, key=context.page_key, base=self.base,
                          codes=context.codes(may_see))
        except FHIRError as error:
            raise error.within(place) if place else error
        return replace(plan(query, may_see), limit=limit)


def criteria_in(text: str) -> list[tuple[str, str]]:
    """Returns the criteria of If-None-Exist or a conditional reference: `identifier=x|1`."""
    return pairs(text.removeprefix("?"))


def decided(write: Callable[[Matches], T], context: Context, caller: Caller, base: str) -> T:
    """Returns what `write` does by what its criteria match, run again whenever others changed that meanwhile.

    Raises Conflict where they do not stop.
    """
    for attempt in range(ATTEMPTS):
        try:
            return write(Matches(context, caller, base))
        except Outdated:
            time.sleep(random.uniform(0, min(PAUSE * 2**attempt, LONGEST_PAUSE)))
    raise Conflict("Others kept changing what the criteria match; nothing was written. Send the request again.")
