"""What can be searched on a resource type, and where each parameter is stored: worked out from the definitions.

A parameter that others cover is not stored: `patient` is the part `Patient` of `subject`, `phone` the part `phone` of
`telecom`, `combo-code` is `code` or `component-code`. Keys are the cost of the index.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from fhir_server.definitions.registry import Definitions, SearchParameter
from fhir_server.fhirpath.compile import Branch, Extractor, Item, extractor
from fhir_server.search.parameters import PARAMETER_TYPES
from fhir_server.search.term import Entry

# Of the whole resource, kept in fields of their own.
FIELDS = ("_id", "_lastUpdated")
# The parameter that newest-first pages go by: the first of these that a type has.
CLINICAL_DATES = (
    "authoredon", "authored", "authored-on", "date", "effective-time", "effective", "started", "period", "occurrence",
    "sent", "whenhandedover", "whenprepared", "recorded", "recorded-date", "collected", "identified", "datetime",
    "event-date", "created", "issued", "datewritten", "start", "start-date", "timestamp",
)
# A change of how keys are written asks for a reindex; this number tells it.
FORMAT = 1

_SUPERTYPES = ("Resource", "DomainResource")
_UNION = re.compile(r"\s*\|\s*")
_PART = re.compile(r"^(.*)\.where\((?:resolve\(\) is (\w+)|system='(\w+)')\)$")


@dataclass(frozen=True)
class Place:
    """Where values of a parameter are stored: under `code`, there `within` a target type or a system, or all of it."""

    code: str
    within: str = ""


class Reader(NamedTuple):
    """Reads what is stored of one parameter out of a resource: the values of a branch, and how they are indexed."""

    code: str
    branch: Branch
    index_value: Callable[[Item, tzinfo], Iterable[Entry]]


@dataclass(frozen=True)
class Searchable:
    """The search parameters of one resource type.

    parameters  all that can be asked, by code
    places      where those are stored that are no field of their own
    extractors  of the stored ones
    readers     the same by the member of the resource that they start from; "" for what looks at the whole
    clinical    code of the parameter that newest-first pages go by, or ""
    dated       that parameter has one value at most, whose start is the clinical date
    hash        changes when what is stored would
    """

    parameters: Mapping[str, SearchParameter]
    places: Mapping[str, Sequence[Place]]
    extractors: Mapping[str, Extractor]
    readers: Mapping[str, Sequence[Reader]]
    clinical: str
    dated: bool
    hash: str


@cache
def searchable(type_: str, definitions: Definitions) -> Searchable:
    """Returns what can be searched on `type_`; worked out once per process, some milliseconds a type."""
    parts, parameters = _parts(type_, definitions), {one.code: one for one in supported(type_, definitions)}
    places = _places(parts, parameters)
    stored = {place.code for found in places.values() for place in found}
    extractors = {code: extractor(" | ".join(parts[code]), type_, definitions) for code in sorted(stored)}
    clinical = next((code for code in CLINICAL_DATES if code in stored and parameters[code].type == "date"), "")
    return Searchable(
        parameters,
        places,
        extractors,
        _readers(extractors, parameters),
        clinical,
        bool(clinical) and len(parts[clinical]) == 1 and not extractors[clinical].repeats,
        _hash({code: (parameters[code].type, parts[code]) for code in sorted(stored)}),
    )


def _readers(
    extractors: Mapping[str, Extractor], parameters: Mapping[str, SearchParameter]
) -> Mapping[str, Sequence[Reader]]:
    readers: dict[str, list[Reader]] = {}
    for code, extract in extractors.items():
        for branch in extract.branches:
            reader = Reader(code, branch, PARAMETER_TYPES[parameters[code].type].index)
            readers.setdefault(branch.member, []).append(reader)
    return readers


def supported(type_: str, definitions: Definitions) -> Sequence[SearchParameter]:
    """Returns the search parameters of `type_` that can be asked, by name; compiles nothing."""
    parts = _parts(type_, definitions)
    known = definitions.search_parameters(type_)
    return tuple(known[code] for code in sorted(known) if code in parts or code in FIELDS)


def _parts(type_: str, definitions: Definitions) -> Mapping[str, Sequence[str]]:
    """The alternatives of each expression that is evaluated."""
    return {
        code: found
        for code, one in definitions.search_parameters(type_).items()
        if one.type in PARAMETER_TYPES and code not in FIELDS and (found := alternatives(one.expression, type_))
    }


def alternatives(expression: str, type_: str) -> tuple[str, ...]:
    """Returns the parts of a union that can find something in `type_`: of `A.code | B.code` for A only `A.code`."""
    starts = ("", type_, *_SUPERTYPES)
    return tuple(one for one in _UNION.split(expression.strip()) if one and _starts_at(one) in starts)


def _starts_at(part: str) -> str:
    """The type an expression starts with, "" for one relative to whatever it is applied to."""
    first = part.lstrip("(").partition(".")[0]
    return first if first[:1].isupper() else ""


def _places(
    parts: Mapping[str, Sequence[str]], parameters: Mapping[str, SearchParameter]
) -> Mapping[str, Sequence[Place]]:
    """Returns where each parameter is stored; plain and short expressions come first, others lean on them."""
    places: dict[str, Sequence[Place]] = {}
    for code in sorted(parts, key=lambda one: (_within(parts[one]) != "", len(parts[one]), one)):
        stored = {
            other: set(parts[other])
            for other, found in places.items()
            if parameters[other].type == parameters[code].type and found == [Place(other)]
        }
        places[code] = _covering(parts[code], stored) or [Place(code)]
    return places


def _covering(parts: Sequence[str], stored: Mapping[str, set[str]]) -> Sequence[Place]:
    """Returns the stored parameters that together find exactly what `parts` find, or none."""
    within = _within(parts)
    whole = {_PART.sub(r"\1", one) for one in parts} if within else set(parts)
    used = [code for code, found in stored.items() if found <= whole]
    same = [code for code in used if stored[code] == whole]
    covered = set().union(*(stored[code] for code in used))
    return [Place(code, within) for code in (same[:1] or used)] if covered == whole else []


def _within(parts: Sequence[str]) -> str:
    """The target type or the system that all parts are narrowed to, or ""."""
    found = {match.group(2) or match.group(3) if (match := _PART.match(one)) else "" for one in parts}
    return found.pop() if len(found) == 1 else ""


def _hash(stored: Mapping[str, object]) -> str:
    return sha256(repr((FORMAT, stored)).encode()).hexdigest()[:16]
