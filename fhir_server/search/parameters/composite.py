"""composite: values that stand together in one element, `code$value`. https://hl7.org/fhir/R4/search.html#combining

Components that stand alone in a resource (the code and the value of an Observation) are asked one by one. Where an
element repeats, an entry to recheck holds its components side by side: `a` the first, `b` the second; `k` its keys.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from fhir_server.fhirpath.compile import Branch, Get
from fhir_server.outcome import BadRequest
from fhir_server.search.parameters import date, number, quantity, reference, string, token, uri
from fhir_server.search.term import Alternative, Asked, Driven, Entry, Filter, Keys, Rules, Store
from fhir_server.search.value import split

_TYPES = {"date": date, "number": number, "quantity": quantity, "reference": reference, "string": string,
          "token": token, "uri": uri}
# Of each component its place in an entry.
_PLACES = "abcdefgh"


class Component(NamedTuple):
    """Reads one component: its values by type, below the composite's element or, `whole`, of the resource."""

    type: str
    branches: Sequence[Branch]
    whole: bool = False

    @property
    def readers(self) -> Sequence[tuple[Get, Store]]:
        stores = _TYPES[self.type].INDEXED
        return [(one.get, stores[one.type]) for one in self.branches if one.type in stores]


def stores(type_: str) -> bool:
    """Says whether a parameter of this type can be a component."""
    return type_ in _TYPES


def store(focus: Get, components: Sequence[Component]) -> Store:
    """Returns what stores the entries of one composite, of a whole resource."""
    readers = [(one.readers, one.whole) for one in components]

    def stored(code: str, resource: Any, rules: Rules) -> Entry:
        return Entry((), [
            {"p": code, **dict(zip(_PLACES, sides, strict=False))}
            for element in focus(resource)
            for sides in product(*(_sides(found, resource if whole else element, rules) for found, whole in readers))
        ])

    return stored


def _sides(readers: Sequence[tuple[Get, Store]], element: Any, rules: Rules) -> list[dict[str, Any]]:
    """What a component says: its keys, and with them each interval; nothing where it has no value."""
    entries = [put("", value, rules) for get, put in readers for value in get(element)]
    keys = [one for entry in entries for one in entry.keys if not one.startswith("_")]
    intervals = [one for entry in entries for one in entry.recheck if "lo" in one]
    return [{"k": keys, **one} for one in intervals or [{}]] if keys else []


def match(asked: Asked, value: str) -> Alternative:
    """`value$value`, as many as the parameter has components."""
    pieces = split(value, "$")
    if len(pieces) != len(asked.parts) or not all(pieces):
        form = "$".join(one.parameter.code for one in asked.parts)
        raise BadRequest(f"{asked.parameter.code} is {form}, not {value!r}.")
    whole = [_match(one, piece) for one, piece in zip(asked.parts, pieces, strict=True)]
    leading = [one for part, one in zip(asked.parts, whole, strict=True) if part.code]
    drivers = tuple(one.keys for one in leading if isinstance(one, Keys))
    if asked.asunder:
        return Driven(drivers, {"$and": [one.filter for one in whole if not isinstance(one, Keys)] or [{}]})
    sides = [_below(_match(_nameless(part), piece).filter, place)
             for part, piece, place in zip(asked.parts, pieces, _PLACES, strict=False)]
    return Driven(drivers, {"iv": {"$elemMatch": {"$and": [{"p": asked.code}, *sides]}}})


def _match(part: Asked, piece: str) -> Alternative:
    modifiers: Mapping[str, Callable[[Asked, str], Alternative]] = _TYPES[part.parameter.type].MODIFIERS
    return modifiers[""](part, piece)


def _nameless(part: Asked) -> Asked:
    """Inside an entry keys have no code: the place tells it."""
    return Asked(part.parameter, "", part.within, part.types, part.systems, part.zone, part.base, text=part.text)


def _below(filter: Filter, place: str) -> dict[str, Any]:
    """The same filter of a component inside an entry: `ix` is there `a.k`, `lo` is `a.lo`."""
    return dict(one for name, asked in filter.items() for one in _renamed(name, asked, place))


def _renamed(name: str, asked: Any, place: str) -> Iterator[tuple[str, Any]]:
    if name == "iv":
        yield from _below(asked["$elemMatch"], place).items()
    elif name in ("$and", "$or", "$nor"):
        yield name, [_below(one, place) for one in asked]
    else:
        yield f"{place}.{'k' if name == 'ix' else name}", asked


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match}
