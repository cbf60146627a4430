"""What is found is what the FHIRPath library says: half of the official examples, every parameter with an expression.

Slow and plain: values are read by the library and compared one by one, as the standard says it.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from fhir_server.definitions.registry import SearchParameter, load
from fhir_server.search.index import JST
from fhir_server.search.parameters import date
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.search.searchable import FIELDS, alternatives
from fhir_server.store.store import Store
from tests.fhir_server.fhirpath.test_compile import BY_TYPE, interpreted, plain
from tests.fhir_server.search.conftest import put

# Of each parameter so many of the values that resources have are asked for.
ASKED = 3

# What the library finds and no search of the type can, with the reason.
APART = {("CarePlan", "activity-date"): "some say in words when: a scheduledString is no date"}

Value = Any
Matches = Callable[[str, Value], bool]


def escaped(text: str) -> str:
    return re.sub(r"([\\,|$])", r"\\\1", text)


def codings(value: Value) -> Iterator[tuple[str, str]]:
    """`(system, code)` of whatever a token parameter finds."""
    if isinstance(value, dict) and ("coding" in value or not {"code", "value", "system"} & set(value)):
        for one in value.get("coding", ()):
            yield from codings(one)
    elif isinstance(value, dict):
        yield value.get("system", ""), value.get("code") or value.get("value", "")
    else:
        yield "", str(value).lower() if isinstance(value, bool) else str(value)


def token_asks(value: Value) -> Iterator[str]:
    for system, code in codings(value):
        if code:
            yield escaped(code)
        if system and code:
            yield f"{escaped(system)}|{escaped(code)}"


def token_matches(asked: str, value: Value) -> bool:
    return any(asked == escaped(code) or asked == f"{escaped(system)}|{escaped(code)}"
               for system, code in codings(value) if code)


def address(value: Value) -> str:
    if isinstance(value, dict) and "resourceType" in value:
        return f"{value['resourceType']}/{value.get('id')}"
    text = value if isinstance(value, str) else value.get("reference", "")
    return "" if text.startswith("#") else re.sub("/_history/.*", "", text)


def reference_asks(value: Value) -> Iterator[str]:
    if address(value):
        yield escaped(address(value))


def reference_matches(asked: str, value: Value) -> bool:
    found = escaped(address(value))
    return found == asked or found.startswith(f"{asked}\\|")


def texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        parts = ("text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode",
                 "country")
        for found in (value[name] for name in parts if name in value):
            yield from ([found] if isinstance(found, str) else found)


def folded(text: str) -> str:
    bare = "".join(one for one in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(one))
    return " ".join(bare.split())


def string_asks(value: Value) -> Iterator[str]:
    for text in texts(value):
        # Written otherwise than it is stored.
        yield escaped(text[:30].upper())


def string_matches(asked: str, value: Value) -> bool:
    plain_text = re.sub(r"\\(.)", r"\1", asked)
    return any(folded(text).startswith(folded(plain_text)) for text in texts(value))


def span(value: Value) -> tuple[datetime, datetime] | None:
    """From when to when, both open: of a period, the outer limits of a schedule, a date as long as it is precise."""
    if isinstance(value, str):
        return date.span(value, JST)
    bounds = value.get("repeat", {}).get("boundsPeriod", {}) if "repeat" in value or "event" in value else value
    found = [date.span(one, JST) for one in value.get("event", ())]
    if bounds.get("start") or bounds.get("end"):
        found.append((date.span(bounds["start"], JST)[0] if "start" in bounds else date.FIRST,
                      date.span(bounds["end"], JST)[1] if "end" in bounds else date.FINAL))
    return (min(start for start, _ in found), max(end for _, end in found)) if found else None


def date_asks(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield from (value, f"gt{value[:4]}", f"le{value[:10]}", f"ne{value[:7]}")
    elif span(value):
        yield from (f"{prefix}2012-01" for prefix in ("ge", "lt", "sa", "eb", "ap"))


def date_matches(asked: str, value: Value) -> bool:
    found, (prefix, text) = span(value), (asked[:2], asked[2:]) if asked[:2].isalpha() else ("eq", asked)
    if found is None:
        return False
    (start, end), (low, high) = date.span(text, JST), found
    longer = max(end - start, date.DAY)
    return {
        "eq": start <= low and high <= end, "ne": not (start <= low and high <= end),
        "gt": high > end, "lt": low < start, "ge": high > end or start <= low and high <= end,
        "le": low < start or start <= low and high <= end, "sa": low >= end, "eb": high <= start,
        "ap": low < end + longer and high > start - longer,
    }[prefix]


def amount(value: Value) -> tuple[Decimal, str] | None:
    """A number and what it counts; ranges are looked at elsewhere."""
    if not isinstance(value, dict):
        return Decimal(str(value)), ""
    unit = value.get("code") or value.get("currency", "")
    return (Decimal(str(value["value"])), unit) if "value" in value else None


def number_asks(value: Value) -> Iterator[str]:
    if found := amount(value):
        number, unit = found
        behind = f"||{escaped(unit)}" if unit else ""
        yield from (f"{prefix}{number:f}{behind}" for prefix in ("", "gt", "le", "ne"))


def number_matches(asked: str, value: Value) -> bool:
    found, (text, _, unit) = amount(value), asked.partition("||")
    if found is None or (unit and escaped(found[1]) != unit):
        return False
    prefix, number = (text[:2], Decimal(text[2:])) if text[:2].isalpha() else ("eq", Decimal(text))
    half = Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)
    near = number - half <= found[0] < number + half
    return {"eq": near, "ne": not near, "gt": found[0] > number, "le": found[0] <= number}[prefix]


def uri_asks(value: Value) -> Iterator[str]:
    yield escaped(value)


def uri_matches(asked: str, value: Value) -> bool:
    return escaped(value) == asked


SLOW: Mapping[str, tuple[Callable[[Value], Iterator[str]], Matches]] = {
    "token": (token_asks, token_matches),
    "reference": (reference_asks, reference_matches),
    "string": (string_asks, string_matches),
    "date": (date_asks, date_matches),
    "number": (number_asks, number_matches),
    "quantity": (number_asks, number_matches),
    "uri": (uri_asks, uri_matches),
}


def parameters(type: str) -> Iterator[SearchParameter]:
    for one in load().search_parameters(type).values():
        if one.type in SLOW and one.expression and one.code not in FIELDS and (type, one.code) not in APART:
            yield one


def spread(asks: list[str]) -> list[str]:
    """A few of the values, from the first to the last."""
    return asks[:: max(1, len(asks) // ASKED)]


def is_range(value: Value) -> bool:
    return isinstance(value, dict) and bool({"low", "high"} & set(value))


def read(parameter: SearchParameter, type: str, resources: list[Any]) -> dict[str, list[Value]]:
    """By id what the library finds."""
    interpret = interpreted(" | ".join(alternatives(parameter.expression, type)), type)
    found = {one["id"]: interpret(plain(one)) for one in resources}
    return {id: [json.loads(json.dumps(one, default=str)) for one in values] for id, values in found.items()}


@pytest.mark.parametrize("type, resources", BY_TYPE, ids=[type for type, _ in BY_TYPE])
def test_a_search_finds_what_the_library_finds(store: Store, type: str, resources: list[Any]) -> None:
    put(store, resources)
    for parameter in parameters(type):
        values = read(parameter, type, resources)
        asks, matches = SLOW[parameter.type]
        said = sorted({ask for found in values.values() for one in found if not is_range(one) for ask in asks(one)})
        for ask in spread([one for one in said if one.strip()]):
            wanted = {id for id, all in values.items() if any(not is_range(one) and matches(ask, one) for one in all)}
            query = parse(type, [(parameter.code, ask), ("_count", "1000")], load())
            found = {one.id for one in store.find(plan(query)).rows}
            ranged = {id for id, found in values.items() if any(map(is_range, found))}
            assert found - ranged == wanted - ranged, (parameter.code, ask)
