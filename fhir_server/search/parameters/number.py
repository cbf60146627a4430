"""number: decimals as text in their own order. https://hl7.org/fhir/R4/search.html#number"""

import re
from collections.abc import Callable, Mapping
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any

from fhir_server.outcome import BadRequest
from fhir_server.search.interval import Interval, compare, stored
from fhir_server.search.term import Alternative, Asked, Entry, Rules, Store
from fhir_server.search.value import prefixed

_NUMBER = re.compile(r"[+-]?\d{1,60}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_EXACT = Context(prec=2000)
_COMPLEMENT = str.maketrans("0123456789", "9876543210")
_LARGEST = 49_999
# So many digits are kept: more than a search can ask for, its margins included.
_DIGITS = 200
# Behind digits that are not all: more than what is kept, less than any digit more.
_CUT = "!"
# Between a number's text and that of the next larger one.
_AFTER = " "

SMALLEST, GREATEST = "", "3"


def _number(code: str, value: Any, rules: Rules) -> Entry:
    written = text(decimal(value))
    return stored(code, written, written, near=True)


def _range(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    return stored(code, *ends(value, decimal), near=False)


def ends(value: Mapping[str, Any], read: Callable[[Any], Decimal]) -> tuple[str, str]:
    """Returns the texts of both ends of a Range; an open end is beyond all numbers."""
    low, high = (value.get(end, {}).get("value") for end in ("low", "high"))
    return SMALLEST if low is None else text(read(low)), GREATEST if high is None else text(read(high))


INDEXED: Mapping[str, Store] = {
    **dict.fromkeys(("decimal", "integer", "positiveInt", "unsignedInt"), _number), "Range": _range}


def decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


# Results repeat: a pulse of 72 is one of a few dozen.
@lru_cache(maxsize=8192)
def text(value: Decimal) -> str:
    """Returns text that sorts as the number does: sign, magnitude, digits; a negative one with each digit reversed."""
    if not value:
        return "1"
    sign, digits, _ = value.as_tuple()
    magnitude = max(-_LARGEST, min(_LARGEST, value.adjusted())) + _LARGEST + 1
    body = f"{magnitude:06}{_kept(''.join(map(str, digits)))}"
    return f"0{body.translate(_COMPLEMENT)}~" if sign else f"2{body}"


def _kept(digits: str) -> str:
    digits = digits.rstrip("0")
    return digits if len(digits) <= _DIGITS else digits[:_DIGITS] + _CUT


def match(asked: Asked, value: str) -> Alternative:
    prefix, interval = comparison(asked, value)
    return compare(asked.code, prefix, interval)


def comparison(
    asked: Asked, value: str, convert: Callable[[Decimal], Decimal] = lambda number: number
) -> tuple[str, Interval]:
    """Returns the prefix and the numbers meant: for equality as precise as written (5.4: from 5.35 to 5.45).

    convert  to the numbers as they are stored; it keeps their order
    """
    prefix, written = prefixed(value)
    if not _NUMBER.fullmatch(written):
        raise BadRequest(f"{asked.parameter.code}: {value!r} is no number such as 5.4 or ge5.4.")
    number = Decimal(written)
    margin = _MARGINS.get(prefix)
    if margin is None:
        found = text(convert(number))
        return prefix, Interval(found, found + _AFTER, found)
    low, high = _EXACT.subtract(number, margin(number)), _EXACT.add(number, margin(number))
    return prefix, Interval(text(convert(low)), text(convert(high)), text(convert(low)))


def _half_digit(number: Decimal) -> Decimal:
    """Half of the last digit that is written: 0.05 for 5.4, 50 for 1e2."""
    return Decimal(5).scaleb(int(number.as_tuple().exponent) - 1)


def _tenth(number: Decimal) -> Decimal:
    return max(_EXACT.multiply(number.copy_abs(), Decimal("0.1")), _half_digit(number))


_MARGINS: Mapping[str, Callable[[Decimal], Decimal]] = {"eq": _half_digit, "ne": _half_digit, "ap": _tenth}

MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match}
