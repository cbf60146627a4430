"""The text of a search, read: `name:exact=Yamada` becomes terms. https://hl7.org/fhir/R4/search.html"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from urllib.parse import urlencode

from fhir_server.definitions.registry import Definitions, SearchParameter
from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search import page
from fhir_server.search.index import JST
from fhir_server.search.parameters import PARAMETER_TYPES, date, reference
from fhir_server.search.searchable import FIELDS, Place, Searchable, searchable
from fhir_server.search.term import Alternative, Asked, Field, Keys, Pattern, Term, starting
from fhir_server.search.value import split, unescape
from fhir_server.store.plan import Order, Position, Sort

PARAMETER_LIMIT = 100
# MongoDB merges so many keys in order; the keys of one criterion are no more.
OR_LIMIT = 200
VALUE_LIMIT = 2000
QUERY_LIMIT = 100_000
# What is compared with each key or value of a resource in turn, of the whole search: parts of text, and all but keys.
PATTERN_LIMIT = 10
SIFT_LIMIT = 500
COUNT = 20

Pair = tuple[str, str]


@dataclass(frozen=True)
class Query:
    """A search as it will be run.

    terms    all must hold; references come first
    count    rows of a page; 0 asks only for the total
    total    whether the exact total is wanted
    after    the page starts behind it
    used     what was really searched, for the self link: `[("name:exact", "山田"), …]`
    ignored  what a lenient search left out, in words
    """

    type: str
    terms: Sequence[Term] = ()
    order: Order = field(default_factory=Order)
    count: int = COUNT
    total: bool = False
    after: Position | None = None
    used: Sequence[Pair] = ()
    ignored: Sequence[str] = ()

    def page(self, position: Position, key: bytes) -> str:
        """Returns the value of `_page` for the page behind `position`."""
        return page.token(position, _identity(self), key)


@dataclass(frozen=True)
class Reader:
    """What reading a search needs beside its text."""

    type: str
    known: Searchable
    definitions: Definitions
    zone: tzinfo = JST
    base: str = ""
    count_limit: int = 1000
    key: bytes = b""


def parse(
    type_: str,
    pairs: Sequence[Pair],
    definitions: Definitions,
    lenient: bool = False,
    *,
    key: bytes = b"",
    zone: tzinfo = JST,
    base: str = "",
    count_limit: int = 1000,
) -> Query:
    """Returns the search of `type_` that `pairs` (names and values, decoded) ask for.

    key    signs page tokens
    zone   of dates that name none
    base   of the server, so that absolute references to it are known
    Raises NotSupported for what is not supported, unless `lenient`: then it is ignored and told; BadRequest for a
    value that cannot be read. Both name the place as `http.` and the parameter.
    """
    _within_limits(pairs)
    reader = Reader(type_, searchable(type_, definitions), definitions, zone, base, count_limit, key)
    query, token = Query(type_), ""
    for name, value in pairs:
        try:
            query = _RESULT.get(name, _criterion)(query, name, value, reader)
        except (BadRequest, NotSupported) as error:
            if not lenient or isinstance(error, BadRequest):
                raise type(error)(str(error), expression=_place(name)) from None
            query = replace(query, ignored=(*query.ignored, str(error)))
        token = value if name == "_page" else token
    _within_costs(query)
    return replace(query, after=page.position(token, _identity(query), key)) if token else query


def _within_limits(pairs: Sequence[Pair]) -> None:
    if len(pairs) > PARAMETER_LIMIT:
        raise BadRequest(f"A search has at most {PARAMETER_LIMIT} parameters, this one has {len(pairs)}.")
    if sum(len(name) + len(value) for name, value in pairs) > QUERY_LIMIT:
        raise BadRequest(f"A search has at most {QUERY_LIMIT} characters.")
    named = [name for name, _ in pairs if name in _RESULT]
    for name in named:
        if named.count(name) > 1:
            raise BadRequest(f"{name} is given more than once.", expression=_place(name))
    for name, value in pairs:
        _readable(name, value)


def _within_costs(query: Query) -> None:
    sifting = [one for term in query.terms for one in term.alternatives if not isinstance(one, Keys)]
    patterns = sum(isinstance(one, Pattern) for one in sifting)
    if patterns > PATTERN_LIMIT:
        raise BadRequest(f"A search has at most {PATTERN_LIMIT} values with :contains, this one has {patterns}.")
    if len(sifting) > SIFT_LIMIT:
        raise BadRequest(f"A search has at most {SIFT_LIMIT} values that are no plain codes, identifiers or references,"
                         f" this one has {len(sifting)}.")


def _readable(name: str, value: str) -> None:
    shown, place, values = name[:60], _place(name[:60]), split(value, ",")
    if not all(one.strip() for one in values):
        raise BadRequest(f"{shown} has an empty value.", expression=place)
    if any(len(one) > VALUE_LIMIT for one in (name, *values)):
        raise BadRequest(f"{shown}: a value has at most {VALUE_LIMIT} characters.", expression=place)
    if any("\ud800" <= one <= "\udfff" for one in name + value):
        raise BadRequest(f"{shown!a} or its value is not Unicode text.")


def _place(name: str) -> str:
    """Where an issue of a search parameter is: https://hl7.org/fhir/R4/operationoutcome-definitions.html"""
    return f"http.{name.partition(':')[0]}"


def _identity(query: Query) -> str:
    """What a page token is good for: this search, whatever the size of the page."""
    return f"{query.type}?{urlencode([pair for pair in query.used if pair[0] not in ('_count', '_total')])}"


def _criterion(query: Query, name: str, value: str, reader: Reader) -> Query:
    code, _, modifier = name.partition(":")
    parameter = reader.known.parameters.get(code)
    if parameter is None:
        raise NotSupported(f"{query.type} has no search parameter {name} here.")
    values = split(value, ",")
    if len(values) > OR_LIMIT:
        raise BadRequest(f"{name}: at most {OR_LIMIT} values, this one has {len(values)}.")
    term = _term(parameter, modifier, values, reader)
    if sum(len(one.keys) for one in term.alternatives if isinstance(one, Keys)) > OR_LIMIT:
        raise BadRequest(f"{name}: too many values without a type. Write {_example(parameter)}.")
    # A reference narrows most. Always in one place, it is what MongoDB learns to go by.
    terms = (term, *query.terms) if parameter.type == "reference" else (*query.terms, term)
    return replace(query, terms=terms, used=(*query.used, (name, value)))


def _example(parameter: SearchParameter) -> str:
    return f"{parameter.target[0]}/123 instead of 123" if parameter.target else "fewer"


def _term(parameter: SearchParameter, modifier: str, values: Sequence[str], reader: Reader) -> Term:
    if parameter.code in FIELDS:
        return _field(parameter, modifier, values, reader)
    places = reader.known.places[parameter.code]
    if modifier == "missing":
        return Term([starting(one.code, _start(one, parameter)) for one in places], _true(parameter, values))
    match = _match(parameter, modifier, reader)
    asked = [_asked(parameter, one, reader) for one in places]
    dated = reader.known.dated and parameter.code == reader.known.clinical and len(values) == 1
    return Term(
        [match(one, value) for value in values for one in asked],
        modifier == "not",
        date.starts(asked[0], values[0]) if dated else None)


def _match(parameter: SearchParameter, modifier: str, reader: Reader) -> Callable[[Asked, str], Alternative]:
    modifiers = PARAMETER_TYPES[parameter.type].modifiers
    if modifier in modifiers:
        return modifiers[modifier]
    if parameter.type == "reference" and modifier in reader.definitions.resource_types:
        return lambda asked, value: reference.of_type(asked, value, modifier)
    known = ", ".join(f":{one}" for one in (*filter(None, modifiers), "missing"))
    raise NotSupported(f"{parameter.code} does not support :{modifier}, only {known}.")


def _asked(parameter: SearchParameter, place: Place, reader: Reader) -> Asked:
    extract = reader.known.extractors[place.code]
    return Asked(
        parameter, place.code, place.within, extract.types, _systems(extract.value_sets, reader.definitions),
        reader.zone, reader.base)


def _systems(value_sets: frozenset[str], definitions: Definitions) -> frozenset[str] | None:
    """The code systems of the required value sets; None where one of them cannot be listed."""
    found = [definitions.systems(one) for one in value_sets]
    return frozenset(system for one in found if one for system in one) if found and all(found) else None


def _start(place: Place, parameter: SearchParameter) -> str:
    """How the texts of a part start: `Patient/`, `phone|`."""
    if not place.within:
        return ""
    return place.within + ("/" if parameter.type == "reference" else "|")


def _true(parameter: SearchParameter, values: Sequence[str]) -> bool:
    if list(values) not in (["true"], ["false"]):
        raise BadRequest(f"{parameter.code}:missing is true or false, not {','.join(values)!r}.")
    return values[0] == "true"


def _field(parameter: SearchParameter, modifier: str, values: Sequence[str], reader: Reader) -> Term:
    if modifier:
        raise NotSupported(f"{parameter.code} does not support :{modifier}.")
    if parameter.code == "_id":
        return Term([Field("id", {"_id": {"$in": [unescape(one) for one in values]}})])
    return Term([_updated(Asked(parameter, "", zone=reader.zone), one) for one in values])


def _updated(asked: Asked, value: str) -> Field:
    prefix, start, end = date.comparison(asked, value)
    contained = {"$gte": start, "$lt": end}
    conditions = {
        "eq": contained, "ap": contained, "ne": {"$not": contained},
        "gt": {"$gte": end}, "sa": {"$gte": end}, "lt": {"$lt": start}, "eb": {"$lt": start},
        "ge": {"$gte": start}, "le": {"$lt": end},
    }
    return Field("updated", {"ts": conditions[prefix]})


def _count(query: Query, name: str, value: str, reader: Reader) -> Query:
    if not (value.isascii() and value.isdigit()):
        raise BadRequest(f"_count is a number of rows, not {value!r}.")
    count = min(int(value), reader.count_limit)
    return replace(query, count=count, used=(*query.used, (name, str(count))))


def _sort(query: Query, name: str, value: str, reader: Reader) -> Query:
    code = value.removeprefix("-")
    orders = {"_lastUpdated": "ts", "_id": "_id", **({reader.known.clinical: "d"} if reader.known.clinical else {})}
    if code not in orders:
        raise NotSupported(f"_sort by {value!r} is not supported, only by {', '.join(orders)}.")
    return replace(query, order=Order((Sort(orders[code], value != code),)), used=(*query.used, (name, value)))


def _total(query: Query, name: str, value: str, reader: Reader) -> Query:
    if value not in ("none", "accurate"):
        raise NotSupported(f"_total is none or accurate, not {value!r}.")
    return replace(query, total=value == "accurate", used=(*query.used, (name, value)))


def _page(query: Query, name: str, value: str, reader: Reader) -> Query:
    """Read at the end, when it is known what search it is a page of."""
    return query


_RESULT: Mapping[str, Callable[[Query, str, str, Reader], Query]] = {
    "_count": _count,
    "_sort": _sort,
    "_total": _total,
    "_page": _page,
}
