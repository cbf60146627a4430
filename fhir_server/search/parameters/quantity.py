"""quantity: a number with a unit, compared as written, not converted. https://hl7.org/fhir/R4/search.html#quantity"""

from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from fhir_server.fhirpath.compile import Item
from fhir_server.outcome import BadRequest
from fhir_server.search.interval import compare, stored
from fhir_server.search.parameters import number
from fhir_server.search.term import Alternative, Asked, Entry, Filter
from fhir_server.search.value import split, unescape

CURRENCIES = "urn:iso:std:iso:4217"

_QUANTITIES = frozenset({"Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration", "MoneyQuantity"})


def index(item: Item, zone: tzinfo) -> Iterator[Entry]:
    if item.type in _QUANTITIES:
        yield from _of_quantity(item.value)
    elif item.type == "Money":
        yield from _of_quantity({**item.value, "system": CURRENCIES, "code": item.value.get("currency")})
    elif item.type == "Range":
        unit = _unit({**item.value.get("high", {}), **item.value.get("low", {})})
        for entry in number.index(item, zone):
            yield Entry(entry.texts, {**(entry.recheck or {}), **unit})


def _of_quantity(value: Mapping[str, Any]) -> Iterator[Entry]:
    if value.get("value") is not None:
        text = number.text(number.decimal(value["value"]))
        yield stored(text, text, near=True, **_unit(value))


def _unit(value: Mapping[str, Any]) -> dict[str, str]:
    """`s` system, `c` code, and `u` the unit as people write it, where it says more than the code."""
    unit = {"s": value.get("system"), "c": value.get("code"), "u": value.get("unit")}
    return {name: text for name, text in unit.items() if text and not (name == "u" and text == unit["c"])}


def match(asked: Asked, value: str) -> Alternative:
    """`5.4`, `5.4|system|code`, or `5.4||unit`, where the unit is a code or what people write."""
    written, *unit = map(unescape, split(value, "|"))
    if len(unit) not in (0, 2):
        raise BadRequest(f"{asked.parameter.code}: {value!r} is no quantity such as 5.4, 5.4||mg or "
                         "5.4|http://unitsofmeasure.org|mg.")
    prefix, interval = number.comparison(asked, written)
    return compare(asked.code, prefix, interval, _asked_unit(*unit) if any(unit) else None)


def _asked_unit(system: str, code: str) -> Filter:
    if not system:
        return {"$or": [{"c": code}, {"u": code}]}
    return {"s": system, "c": code} if code else {"s": system}


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match}
