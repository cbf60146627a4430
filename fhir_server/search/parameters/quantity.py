"""quantity: a number with a unit. https://hl7.org/fhir/R4/search.html#quantity

Stored as it is written, and where the unit is one of UCUM a second time in base units, under a code of their own:
`value-quantity:g.m-3=…`. Units that UCUM does not define are compared as written.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from fhir_server.outcome import BadRequest
from fhir_server.search import ucum
from fhir_server.search.interval import Interval, compare, compare_points, stored
from fhir_server.search.parameters import number
from fhir_server.search.term import Alternative, Asked, Entry, Filter, Rules, Sift, Store
from fhir_server.search.value import split, unescape

CURRENCIES = "urn:iso:std:iso:4217"

# Of two numbers a search compares no more digits; the rest would only make keys long.
_LONGEST = 200


def _quantity(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    found = value.get("value")
    if found is None:
        return Entry(())
    amount = number.decimal(found)
    text = number.text(amount)
    entry = stored(code, text, text, near=True, **_unit(value))
    if value.get("system") == ucum.SYSTEM and (canonical := _canonical(code, amount, value.get("code", ""))):
        return Entry((*entry.keys, canonical), entry.recheck)
    return entry


@lru_cache(maxsize=8192)
def _canonical(code: str, amount: Decimal, unit: str) -> str:
    known = _convertible(unit, amount)
    return f"{code}:{known.name}={number.text(known.canonical(amount))}" if known else ""


def _convertible(code: str, amount: Decimal) -> ucum.Unit | None:
    return ucum.unit(code) if _is_short(amount) else None


def _is_short(amount: Decimal) -> bool:
    """Not so for numbers whose zeros alone would fill a page, or hours of converting."""
    return abs(amount.adjusted()) < _LONGEST and len(amount.as_tuple().digits) < _LONGEST


def _money(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    return _quantity(code, {**value, "system": CURRENCIES, "code": value.get("currency")}, rules)


def _range(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    """Its base units need no key of their own: the entry to recheck decides, and the plain keys lead."""
    either = {**value.get("high", {}), **value.get("low", {})}
    entry = stored(code, *number.ends(value, number.decimal), near=False, **_unit(either))
    known = ucum.unit(either.get("code", "")) if either.get("system") == ucum.SYSTEM else None
    amounts = [number.decimal(value[end]["value"]) for end in ("low", "high") if "value" in value.get(end, {})]
    if known is None or not all(map(_is_short, amounts)):
        return entry
    low, high = number.ends(value, lambda one: known.canonical(number.decimal(one)))
    return Entry(entry.keys, (*entry.recheck, {"p": f"{code}:{known.name}", "lo": low, "hi": high}))


INDEXED: Mapping[str, Store] = {
    **dict.fromkeys(
        ("Quantity", "SimpleQuantity", "Age", "Count", "Distance", "Duration", "MoneyQuantity"), _quantity),
    "Money": _money,
    "Range": _range,
}


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
    if any(unit):
        return _in_base_units(asked, written, unit) or compare(asked.code, prefix, interval, _asked_unit(*unit))
    return compare(asked.code, prefix, interval) if "Range" in asked.types else compare_points(
        asked.code, prefix, interval)


def _in_base_units(asked: Asked, written: str, unit: list[str]) -> Alternative | None:
    known = ucum.unit(unit[1]) if unit[0] == ucum.SYSTEM else None
    if known is None:
        return None
    prefix, interval = number.comparison(asked, written, known.canonical)
    return _compare(asked, f"{asked.code}:{known.name}", prefix, interval)


def _compare(asked: Asked, code: str, prefix: str, interval: Interval) -> Alternative:
    """Ranges have an entry to recheck, and no key; numbers have a key, and no entry."""
    points = compare_points(code, prefix, interval)
    if "Range" not in asked.types:
        return points
    return Sift({"$or": [points.filter, compare(code, prefix, interval).filter]})


def _asked_unit(system: str, code: str) -> Filter:
    if not system:
        return {"$or": [{"c": code}, {"u": code}]}
    return {"s": system, "c": code} if code else {"s": system}


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match}
