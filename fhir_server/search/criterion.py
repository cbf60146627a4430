"""One criterion, read: `name:exact=Yamada` becomes a term. https://hl7.org/fhir/R4/search.html#modifiers"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import tzinfo
from functools import lru_cache

from fhir_server.definitions.registry import Definitions, SearchParameter
from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.asking import Asking
from fhir_server.search.criteria import Reader
from fhir_server.search.parameters import date, reference, type_of
from fhir_server.search.searchable import FIELDS, Place, missing, searchable
from fhir_server.search.term import Alternative, Asked, Field, Keys, Term, starting
from fhir_server.search.value import split, unescape

# MongoDB merges so many keys in order; the keys of one criterion are no more.
OR_LIMIT = 200
# Modifiers that ask for what has none of the values.
NEGATING = frozenset(("not", "not-in"))
# Modifiers whose codes terminology lists.
LISTED = frozenset(("in", "not-in", "above", "below"))


def term(name: str, value: str, reader: Reader) -> Term:
    """Returns what `name=value` asks of a resource itself. Raises NotSupported, and BadRequest for the value."""
    code, _, modifier = name.partition(":")
    parameter = reader.known.parameters.get(code)
    if parameter is None:
        raise missing(reader.type, code[:80], reader.definitions)
    values = split(value, ",")
    if len(values) > OR_LIMIT:
        raise BadRequest(f"{name}: at most {OR_LIMIT} values, this one has {len(values)}.")
    found = _term(parameter, modifier, values, reader)
    if sum(len(one.keys) for one in found.alternatives if isinstance(one, Keys)) > OR_LIMIT:
        raise BadRequest(f"{name}: too many values without a type. Write {_example(parameter)}.")
    return found


def is_reference(name: str, reader: Reader) -> bool:
    """Tells whether `name`, which is known, asks for a reference."""
    return reader.known.parameters[name.partition(":")[0]].type == "reference"


def _example(parameter: SearchParameter) -> str:
    return f"{parameter.target[0]}/123 instead of 123" if parameter.target else "fewer"


def _term(parameter: SearchParameter, modifier: str, values: Sequence[str], reader: Reader) -> Term:
    if parameter.code in FIELDS:
        return _field(parameter, modifier, values, reader)
    places = reader.known.places[parameter.code]
    if modifier == "missing" and type_of(parameter).stores:
        return Term([starting(one.code, _start(one, parameter)) for one in places], _true(parameter, values))
    match = _match(parameter, modifier, reader)
    asked = _asked(parameter.code, reader.type, reader.definitions, reader.zone, reader.base)
    if modifier in LISTED:
        asked = [replace(one, codes=reader.codes) for one in asked]
    return Term([match(one, value) for value in values for one in asked], modifier in NEGATING,
                date.starts(asked[0], values[0]) if _tells_date(parameter, values, reader) else None)


def _tells_date(parameter: SearchParameter, values: Sequence[str], reader: Reader) -> bool:
    return parameter.code == reader.known.clinical and reader.known.dated and len(values) == 1


def _match(parameter: SearchParameter, modifier: str, reader: Reader) -> Callable[[Asked, str], Alternative]:
    modifiers = type_of(parameter).modifiers
    if modifier in modifiers:
        return modifiers[modifier]
    if parameter.type == "reference" and modifier in reader.definitions.resource_types:
        return lambda asked, value: reference.of_type(asked, value, modifier)
    known = [f":{one}" for one in (*filter(None, modifiers), *(["missing"] if type_of(parameter).stores else []))]
    raise NotSupported(
        f"{parameter.code} does not support :{modifier[:60]}, only {', '.join(known) or 'none'}.")


# The base is what clients say it is: no more of it is remembered than this.
@lru_cache(maxsize=4000)
def _asked(code: str, type_: str, definitions: Definitions, zone: tzinfo, base: str) -> Sequence[Asked]:
    """What a parameter asks at each place where it is stored; terminology is another for each search."""
    known = searchable(type_, definitions)
    asking = Asking(type_, known, definitions, zone, base)
    return tuple(asking.at(known.parameters[code], place) for place in known.places[code])


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
        raise NotSupported(f"{parameter.code} does not support :{modifier[:60]}.")
    if parameter.code == "_id":
        return Term([by_id([unescape(one) for one in values])])
    return Term([_updated(Asked(parameter, "", zone=reader.zone), one) for one in values])


def by_id(ids: Sequence[str]) -> Field:
    return Field("id", {"_id": {"$in": list(ids)}})


def _updated(asked: Asked, value: str) -> Field:
    prefix, start, end = date.comparison(asked, value)
    contained = {"$gte": start, "$lt": end}
    conditions = {
        "eq": contained, "ap": contained, "ne": {"$not": contained},
        "gt": {"$gte": end}, "sa": {"$gte": end}, "lt": {"$lt": start}, "eb": {"$lt": start},
        "ge": {"$gte": start}, "le": {"$lt": end},
    }
    return Field("updated", {"ts": conditions[prefix]})
