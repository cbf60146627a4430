"""Requirements as data: what R4 asks, the words of the standard, what must be claimed, and the requests that show it.

A file of `fhir/requirements` is one chapter. `docs/conformance.md` shows how its tables are written.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any
from urllib.parse import parse_qsl

from conformance.expect import EXPECTATIONS

STANDARD = "https://hl7.org/fhir/R4/"
LEVELS = ("SHALL", "SHOULD", "MAY")
FIXTURES = files(__package__) / "fhir" / "fixtures"
REQUIREMENTS = files(__package__) / "fhir" / "requirements"

# Of a step; the rest are expectations.
_SENT = ("request", "headers_sent", "resource", "body", "times", "within", "save")
# Parameters of all types, and those that say how to answer: servers have them and list them or not.
_COMMON = "_"


@dataclass(frozen=True)
class Step:
    """One request and what its answer must be.

    request   method and path below the base: `GET Patient/{{taro}}`
    resource  JSON that is sent, marked as test data; `body` is sent as it is
    times     so often at once
    within    asked again until the answer is right, for so many seconds at most
    save      variables taken from the answer: a FHIRPath, or `header:Location`
    expect    by the names of conformance.expect
    """

    request: str
    headers: Mapping[str, str] = field(default_factory=dict)
    resource: str = ""
    body: str | None = None
    times: int = 1
    within: float = 0.0
    save: Mapping[str, str] = field(default_factory=dict)
    expect: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Requirement:
    """One promise. `claims`: what the CapabilityStatement must say before it is asked for, see conformance.claims."""

    id: str
    chapter: str
    title: str
    title_ja: str
    level: str
    rule: str
    section: str
    claims: Sequence[str]
    steps: Sequence[Step]


@dataclass(frozen=True)
class Chapter:
    """The requirements of one file."""

    id: str
    title: str
    title_ja: str
    requirements: Sequence[Requirement]


def chapters() -> list[Chapter]:
    """Returns all requirements, in the order of the file names. Raises ValueError for a table that is none."""
    found = sorted((one for one in REQUIREMENTS.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return [read(one) for one in found]


def read(file: Traversable) -> Chapter:
    """Returns the chapter in `file`. Raises ValueError naming the requirement that cannot be read."""
    table = tomllib.loads(file.read_text(encoding="utf-8"))
    plain = [_requirement(one, table) for one in table.get("requirement", ())]
    rows = [_row(row, search, table) for search in table.get("search", ()) for row in search["rows"]]
    return Chapter(table["chapter"], table["title"], table["ja"], tuple([*plain, *rows]))


def _requirement(one: Mapping[str, Any], chapter: Mapping[str, Any]) -> Requirement:
    given = {**{name: chapter[name] for name in ("level", "rule", "section", "claims") if name in chapter}, **one}
    name = f"{chapter['chapter']}.{given['id']}"
    if given["level"] not in LEVELS:
        raise ValueError(f"{name}: {given['level']} is no level.")
    return Requirement(
        id=name,
        chapter=chapter["chapter"],
        title=given["title"],
        title_ja=given["ja"],
        level=given["level"],
        rule=" ".join(given["rule"].split()),
        section=STANDARD + given["section"],
        claims=tuple(given.get("claims", ())),
        steps=tuple(_step(step, name) for step in given["steps"]),
    )


def _step(step: Mapping[str, Any], name: str) -> Step:
    expect = {key: value for key, value in step.items() if key not in _SENT}
    unknown = set(expect) - set(EXPECTATIONS)
    if unknown:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is no expectation.")
    return Step(
        request=step["request"],
        headers=step.get("headers_sent", {}),
        resource=step.get("resource", ""),
        body=step.get("body"),
        times=step.get("times", 1),
        within=step.get("within", 0.0),
        save=step.get("save", {}),
        expect={"status": "2xx", **expect},
    )


def _row(row: Mapping[str, Any], search: Mapping[str, Any], chapter: Mapping[str, Any]) -> Requirement:
    """A row of a table of searches: `query` is asked within the run's own resources."""
    given = {**search, **row}
    type_, query = given.get("type", ""), given["query"]
    expect = {key: value for key, value in given.items() if key in EXPECTATIONS}
    step = {"request": f"GET {type_}?{query}{'' if given.get('alone') else '{{scope}}'}", "status": 200, **expect}
    claims = given.get("claims", list(_claimed(type_, query)))
    return _requirement({**given, "claims": claims, "steps": [step]}, chapter)


def _claimed(type_: str, query: str) -> Iterator[str]:
    yield f"{type_ or 'system'}.search-{'type' if type_ else 'system'}"
    for name, _ in parse_qsl(query, keep_blank_values=True):
        code = name.partition(":")[0].partition(".")[0]
        if type_ and not code.startswith(_COMMON):
            yield f"{type_}?{code}"
