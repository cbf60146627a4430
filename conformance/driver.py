"""Runs the requirements against a server: makes the run's own resources, asks, compares, and takes everything away."""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

import requests

from conformance import template
from conformance.claims import Statement, claimed
from conformance.expect import Seen, faults, values
from conformance.http import JSON, Answer, Exchange, Server
from conformance.requirement import FIXTURES, Requirement, Step

PAGES_LIMIT = 50
# Between two asks of what may take its time, in seconds.
PAUSE = 0.5
PASSED, FAILED, NOT_CLAIMED = "passed", "failed", "not claimed"

# A server that has not what a MAY asks for says so with one of these.
_REFUSED = (400, 404, 405, 406, 415, 422, 501)
_GONE = (200, 202, 204, 404, 410)


class NoServer(Exception):
    """There is nothing at the address that says what it can do."""


@dataclass(frozen=True)
class Result:
    """How one requirement came out; `reason` says why not, `exchanges` is what was sent and came back, in `seconds`."""

    requirement: Requirement
    outcome: str
    reason: str = ""
    exchanges: Sequence[Exchange] = ()
    seconds: float = 0.0


@dataclass
class Run:
    """One run against one server. `name` marks everything it makes; `known` are its variables."""

    server: Server
    name: str
    statement: Statement
    known: dict[str, str] = field(default_factory=dict)
    made: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Without _tag a search finds what others have stored, too.
        scope = f"&_tag={quote(f'{template.RUNS}|{self.name}')}" if claimed("Patient?_tag", self.statement) else ""
        own = {"run": self.name, "base": self.server.base, "scope": scope, "tag": f"{self.name}-step"}
        self.known |= {**own, **template.LARGE}

    def prepare(self) -> Iterator[str]:
        """Makes the resources that the searches look for; yields what could not be made, and why."""
        for file in sorted(FIXTURES.iterdir(), key=lambda one: one.name):
            for name, resource in template.decode(file.read_text(encoding="utf-8")).items():
                fault = self._make(name, resource)
                if fault:
                    yield f"{name}: {fault}"

    def _make(self, name: str, resource: Mapping[str, Any]) -> str:
        try:
            step = Step(f"POST {resource['resourceType']}", resource=template.encode(resource))
            [exchange] = self._send(step, {**self.known, "tag": self.name})
        except (template.Unknown, requests.RequestException) as error:
            return str(error)
        created = list(template.created(exchange.answer))
        if not created:
            return f"{exchange.answer.status} {self.server.hide(exchange.answer.text[:300])}"
        self.known[name] = created[0].partition("/")[2]
        return ""

    def check(self, requirement: Requirement, strict: bool = False) -> Result:
        """Returns how `requirement` came out; with `strict` what is not claimed has failed."""
        began = time.monotonic()
        result = self._check(requirement)
        if strict and result.outcome == NOT_CLAIMED:
            result = replace(result, outcome=FAILED, reason=f"Not claimed: {result.reason}")
        return replace(result, seconds=time.monotonic() - began)

    def _check(self, requirement: Requirement) -> Result:
        lacking = [claim for claim in requirement.claims if not claimed(claim, self.statement)]
        if lacking:
            return Result(requirement, NOT_CLAIMED, f"the CapabilityStatement does not claim {', '.join(lacking)}")
        exchanges: list[Exchange] = []
        names = dict(self.known)
        for number, step in enumerate(requirement.steps, 1):
            where = f"Step {number}: " if len(requirement.steps) > 1 else ""
            outcome, reason = self._step(step, requirement.level, names, exchanges)
            if outcome != PASSED:
                return Result(requirement, outcome, where + self.server.hide(reason), tuple(exchanges))
        return Result(requirement, PASSED, exchanges=tuple(exchanges))

    def _step(self, step: Step, level: str, names: dict[str, str], exchanges: list[Exchange]) -> tuple[str, str]:
        """Returns the outcome and its reason; adds to `names` what it saves, to `exchanges` what it sends."""
        try:
            expect = template.filled(step.expect, names)
            sent, wrong = self._patiently(step, expect, names)
        except (template.Unknown, requests.RequestException) as error:
            return FAILED, str(error)
        exchanges += sent
        first = sent[0].answer
        if wrong and level == "MAY" and _refuses(first, expect):
            return NOT_CLAIMED, f"the server refuses it with {first.status}"
        if wrong:
            return FAILED, " ".join(wrong)
        names |= {name: _taken(first, path) for name, path in step.save.items()}
        return PASSED, ""

    def _patiently(self, step: Step, expect: Mapping[str, Any], names: Mapping[str, str]
                   ) -> tuple[list[Exchange], list[str]]:
        """Returns what was sent last, and its faults. Raises Unknown, and what requests raises."""
        until = time.monotonic() + step.within
        while True:
            sent = self._send(step, names)
            sent += self._following(sent[0].answer) if "pages" in expect else ()
            wrong = faults(self._seen(sent, names), expect)
            if not wrong or time.monotonic() >= until:
                return sent, wrong
            time.sleep(PAUSE)

    def _seen(self, sent: Sequence[Exchange], names: Mapping[str, str]) -> Seen:
        return Seen([one.answer for one in sent], names, scoped=bool(self.known["scope"]))

    def _send(self, step: Step, names: Mapping[str, str]) -> list[Exchange]:
        """Raises Unknown, and what requests raises."""
        method, _, url = template.filled(step.request, names).partition(" ")
        body = template.stamped(step.resource, names) if step.resource else template.filled(step.body, names)
        kind = {"Content-Type": JSON} if body is not None else {}
        headers = {**kind, **template.filled(step.headers, names)}
        with ThreadPoolExecutor(step.times) as clients:
            jobs = [clients.submit(self.server.send, method, url, headers, body) for _ in range(step.times)]
            sent = [job.result() for job in jobs]
        self.made |= {place: None for one in sent for place in template.created(one.answer)}
        return sent

    def _following(self, answer: Answer) -> Iterator[Exchange]:
        """Yields the pages after the first."""
        for _ in range(PAGES_LIMIT):
            link = values(answer.resource, "link.where(relation = 'next').url")
            if not link:
                return
            exchange = self.server.send("GET", link[0], {})
            yield exchange
            answer = exchange.answer

    def clear(self) -> list[str]:
        """Deletes everything the run has made, the newest first; returns what could not be deleted."""
        for _ in range(2):
            for place in reversed(list(self.made)):
                if self._deleted(place):
                    del self.made[place]
        return list(self.made)

    def _deleted(self, place: str) -> bool:
        try:
            return self.server.send("DELETE", place, {}).answer.status in _GONE
        except requests.RequestException:
            return False


def statement(server: Server) -> Statement:
    """Returns the CapabilityStatement. Raises NoServer."""
    try:
        answer = server.send("GET", "metadata", {}).answer
    except requests.RequestException as error:
        raise NoServer(server.hide(f"{server.base} does not answer: {error}")) from error
    if answer.resource.get("resourceType") != "CapabilityStatement":
        raise NoServer(f"{server.base}/metadata answers {answer.status} and no CapabilityStatement.")
    return answer.resource


def _refuses(answer: Answer, expect: Mapping[str, Any]) -> bool:
    return answer.status in _REFUSED and str(expect.get("status", "2")).lstrip("[")[0] == "2"


def _taken(answer: Answer, path: str) -> str:
    """Returns what `path` names: `header:ETag`, `created` (the id of what was), or a FHIRPath."""
    if path == "created":
        return next(template.created(answer), "").partition("/")[2]
    name = path.removeprefix("header:")
    if name != path:
        return answer.headers.get(name, "")
    found = values(answer.resource, path)
    return str(found[0]) if found else ""
