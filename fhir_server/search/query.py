"""The text of a search, read: `[("name:exact", "山田"), ("_count", "20")]` becomes a Query.

https://hl7.org/fhir/R4/search.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any

from fhir_server.definitions.registry import Definitions
from fhir_server.outcome import BadRequest, FHIRError, NotSupported
from fhir_server.search import page
from fhir_server.search.chain import criterion
from fhir_server.search.criteria import EPOCH, Criterion, Include, Links, Pair, Query, Reader
from fhir_server.search.criterion import is_reference
from fhir_server.search.filter import read_filter
from fhir_server.search.include import include
from fhir_server.search.index import JST
from fhir_server.search.result import RESULT
from fhir_server.search.term import Alternative, Codes, Driven, Keys, Pattern, Sift, Term
from fhir_server.search.value import split

__all__ = ["Pair", "Query", "parse"]

PARAMETER_LIMIT = 100
VALUE_LIMIT = 2000
WHOLE_LIMIT = 20_000
QUERY_LIMIT = 100_000
# What is compared with each key or value of a resource in turn, of the whole search: parts of text, and all but keys.
PATTERN_LIMIT = 10
SIFT_LIMIT = 500
# Searches of other resources that one search may lead to.
LINK_LIMIT = 30
INCLUDE_LIMIT = 30

_INCLUDES = ("_include", "_revinclude")
_TOKEN = "_page"
# Values in which a comma parts nothing.
_WHOLE = ("_filter", _TOKEN)
_ONCE = frozenset((*RESULT, _TOKEN))
_REFUSED = {
    "_query": "Named queries (_query) are not supported.",
    "_contained": "Contained resources are not searched (_contained).",
    "_containedType": "Contained resources are not searched (_containedType).",
}


def parse(
    type_: str,
    pairs: Sequence[Pair],
    definitions: Definitions,
    lenient: bool = False,
    *,
    key: bytes = b"",
    now: Callable[[], datetime] = lambda: EPOCH,
    zone: tzinfo = JST,
    base: str = "",
    count_limit: int = 1000,
    codes: Codes | None = None,
    types: Sequence[str] = (),
    path: str = "",
) -> Query:
    """Returns the search of `type_` that `pairs` (names and values, decoded) ask for.

    key    signs page tokens, which are good for a day by the clock `now`
    zone   of dates that name none
    base   of the server, so that absolute references to it are known
    codes  lists value sets and hierarchies
    types  of all that is searched for, where that is more than `type_`
    path   of the search, where that is not the type: `Patient/p1/Observation`
    Raises NotSupported for what is not supported, unless `lenient`: then it is ignored and told; BadRequest for a
    value that cannot be read. Both name the place as `http.` and the parameter.
    """
    _within_limits(pairs)
    types = types or (type_,)
    reader = Reader(type_, definitions, zone, base, codes, count_limit, types)
    asked, token = _Asked(), ""
    for name, value in pairs:
        try:
            asked.add(name, value, reader)
        except FHIRError as error:
            if not lenient or not isinstance(error, NotSupported):
                raise type(error)(str(error), expression=_place(name)) from None
            asked.ignored.append(str(error))
        token = value if name == _TOKEN else token
    query = asked.query(type_, path or ",".join(types))
    _within_costs(query)
    return replace(query, after=page.position(token, query.identity, key, now())) if token else query


@dataclass
class _Asked:
    """What has been read so far."""

    references: list[Term] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    links: list[Links] = field(default_factory=list)
    includes: list[Include] = field(default_factory=list)
    members: dict[str, Any] = field(default_factory=dict)
    used: list[Pair] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    def add(self, name: str, value: str, reader: Reader) -> None:
        if name in RESULT:
            members, value = RESULT[name](value, reader)
            self.members.update(members)
        elif name == _TOKEN:
            # Read at the end, when it is known what search it is a page of.
            return
        elif name.partition(":")[0] in _INCLUDES:
            self.includes.append(include(name, value, reader))
        elif name in _REFUSED:
            raise NotSupported(_REFUSED[name])
        elif name == "_filter":
            for one in read_filter(value, reader):
                self._keep(one)
        else:
            found = criterion(name, value, reader)
            # A reference narrows most. Always in one place, it is what MongoDB learns to go by.
            self._keep(found, isinstance(found, Term) and is_reference(name, reader))
        self.used.append((name, value))

    def _keep(self, found: Criterion, first: bool = False) -> None:
        if not isinstance(found, Term):
            self.links.append(found)
        else:
            (self.references if first else self.terms).append(found)

    def query(self, type_: str, path: str) -> Query:
        return Query(
            type_, (*reversed(self.references), *self.terms), tuple(self.links), includes=tuple(self.includes),
            used=tuple(self.used), ignored=tuple(self.ignored), path=path, **self.members)


def _within_limits(pairs: Sequence[Pair]) -> None:
    if len(pairs) > PARAMETER_LIMIT:
        raise BadRequest(f"A search has at most {PARAMETER_LIMIT} parameters, this one has {len(pairs)}.")
    if sum(len(name) + len(value) for name, value in pairs) > QUERY_LIMIT:
        raise BadRequest(f"A search has at most {QUERY_LIMIT} characters.")
    named = [name for name, _ in pairs]
    for name in _ONCE.intersection(named):
        if named.count(name) > 1:
            raise BadRequest(f"{name} is given more than once.", expression=_place(name))
    for name, value in pairs:
        _readable(name, value)


def _within_costs(query: Query) -> None:
    if query.links:
        _within_links(query)
    sifting = [one for term in query.all_terms() for one in term.alternatives if not isinstance(one, Keys)]
    patterns = sum(map(_has_pattern, sifting))
    if patterns > PATTERN_LIMIT:
        raise BadRequest(f"A search has at most {PATTERN_LIMIT} values with :contains, this one has {patterns}.")
    if len(sifting) > SIFT_LIMIT:
        raise BadRequest(f"A search has at most {SIFT_LIMIT} values that are no plain codes, identifiers or references,"
                         f" this one has {len(sifting)}.")
    if len(query.includes) > INCLUDE_LIMIT:
        raise BadRequest(f"A search has at most {INCLUDE_LIMIT} _include and _revinclude.")


def _has_pattern(one: Alternative) -> bool:
    return isinstance(one, Pattern) or isinstance(one, (Driven, Sift)) and "'$regex'" in repr(one.filter)


def _within_links(query: Query) -> None:
    # They are not all counted: a chain without types may lead to very many.
    if len(list(islice(query.all_links(), LINK_LIMIT + 1))) > LINK_LIMIT:
        name = next((name for name, _ in query.used if "." in name or name.startswith("_has:")), "_filter")
        raise BadRequest(f"A search leads to at most {LINK_LIMIT} searches of other resources. In {name[:80]} write the"
                         " types, as in subject:Patient.name.", expression=_place(name))


def _readable(name: str, value: str) -> None:
    shown = name[:60]
    try:
        (name + value).encode()
    except UnicodeEncodeError:
        raise BadRequest(f"{shown!a} or its value is not Unicode text.") from None
    values, limit = ([value], WHOLE_LIMIT) if name in _WHOLE else (split(value, ","), VALUE_LIMIT)
    if not all(map(str.strip, values)):
        raise BadRequest(f"{shown} has an empty value.", expression=_place(shown))
    if max(len(name), *map(len, values)) > limit:
        raise BadRequest(f"{shown}: a value has at most {limit} characters.", expression=_place(shown))


def _place(name: str) -> str:
    """Where an issue of a search parameter is: https://hl7.org/fhir/R4/operationoutcome-definitions.html"""
    return f"http.{name.partition(':')[0]}"
