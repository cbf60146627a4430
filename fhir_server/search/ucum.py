"""Units as UCUM defines them: each is a number of base units, so that 5.4 mg/dL and 0.054 g/L are the same amount.

The table is compiled from UCUM's own (`ucum_table.py`) and read when the first unit is met. Numbers are exact.
https://ucum.org/ucum
"""

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

SYSTEM = "http://unitsofmeasure.org"
TABLE = Path(__file__).with_name("ucum.csv")
# What does not end in decimals (a third) is rounded here, the same when stored and when asked.
DIGITS = Context(prec=28)

_TOKEN = re.compile(r"[./()]|[^./()]+")
# Standing alone, an annotation is one: `{tbl}`, `10*3/{field}`; behind a unit it is only a remark.
_ALONE = re.compile(r"(^|[./(])\{[^{}]*\}")
_REMARK = re.compile(r"\{[^{}]*\}")
_ATOM = re.compile(r"(.*?)([+-]?\d+)?", re.DOTALL)
# No real unit is as long; a nested one is read by recursion.
_LIMIT = 100
_LARGEST = 40

Base = tuple[tuple[str, int], ...]


class Unit(NamedTuple):
    """`factor` times the base units, such as `(("g", 1), ("m", -3))`; a scale starts at `zero` of them."""

    factor: Fraction
    base: Base
    zero: Fraction = Fraction(0)

    def canonical(self, value: Decimal) -> Decimal:
        """Returns `value` of this unit in base units."""
        amount = Fraction(value) * self.factor + self.zero
        return DIGITS.divide(Decimal(amount.numerator), Decimal(amount.denominator))

    @property
    def name(self) -> str:
        """The base units as UCUM writes them: `g.m-3`; 1 where there is none."""
        return ".".join(f"{code}{power if power != 1 else ''}" for code, power in self.base) or "1"


@lru_cache(maxsize=2048)
def unit(code: str) -> Unit | None:
    """Returns what a unit is in base units; None for what is no unit of UCUM, and for logarithms and the like."""
    try:
        return _read(_REMARK.sub("", _ALONE.sub(r"\g<1>1", code))) if 0 < len(code) <= _LIMIT else None
    except (ValueError, ArithmeticError):
        return None


def _read(text: str) -> Unit:
    return _Reading(_TOKEN.findall(text)).whole()


class _Row(NamedTuple):
    kind: str
    code: str
    value: str
    unit: str
    zero: str


@cache
def _rows() -> Mapping[str, _Row]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {f"{'prefix ' if row[0] == 'prefix' else ''}{row[1]}": _Row(*row) for row in [*csv.reader(file)][1:]}


@dataclass
class _Reading:
    """Reads a unit's tokens from left to right: `mg`, `/`, `dL`."""

    tokens: list[str]
    at: int = 0

    def whole(self) -> Unit:
        found = self.term()
        if self.at < len(self.tokens):
            raise ValueError(self.tokens[self.at])
        return found

    def term(self) -> Unit:
        """Factors from left to right: `a/b.c` is (a/b)·c."""
        found = _ONE if self.next() == "/" else self.factor()
        while self.next() in (".", "/"):
            sign = 1 if self.take() == "." else -1
            found = _product(found, self.factor(), sign)
        return found

    def factor(self) -> Unit:
        if self.next() != "(":
            return _power(self.take())
        self.take()
        found = self.term()
        if self.take() != ")":
            raise ValueError("a bracket that does not close")
        return found

    def next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""


_ONE = Unit(Fraction(1), ())


def _power(text: str) -> Unit:
    """A number, or an atom with its exponent: `cm2`, `10*3`, `[in_i]`."""
    if text.isascii() and text.isdigit():
        return Unit(Fraction(int(text)), ())
    whole = _atom(text)
    if whole:
        return whole
    match = _ATOM.fullmatch(text)
    atom, exponent = (match[1], int(match[2] or 1)) if match else ("", 1)
    found = _atom(atom)
    if not found or abs(exponent) > _LARGEST or (found.zero and exponent != 1):
        raise ValueError(text)
    return Unit(found.factor**exponent, tuple((code, power * exponent) for code, power in found.base), found.zero)


@cache
def _defined(code: str) -> Unit | None:
    row = _rows().get(code)
    if row is None:
        return None
    if not row.unit:
        return Unit(Fraction(1), ((code, 1),))
    inner = _read(row.unit)
    return Unit(Fraction(row.value) * inner.factor, inner.base, Fraction(row.zero or 0))


def _atom(text: str) -> Unit | None:
    """A unit, or a prefix and a unit that takes prefixes."""
    rows = _rows()
    for length in (0, 1, 2):
        prefix, code = text[:length], text[length:]
        if code not in rows or (length and (f"prefix {prefix}" not in rows or rows[code].kind not in _PREFIXED)):
            continue
        if found := _defined(code):
            return found._replace(factor=found.factor * Fraction(rows[f"prefix {prefix}"].value)) if length else found
    return None


_PREFIXED = ("metric", "base")


def _product(one: Unit, other: Unit, sign: int) -> Unit:
    if one.zero or other.zero:
        raise ValueError("a scale with a zero of its own is part of no other unit")
    powers = dict(one.base)
    for code, power in other.base:
        powers[code] = powers.get(code, 0) + sign * power
    factor = one.factor * other.factor if sign > 0 else one.factor / other.factor
    return Unit(factor, tuple((code, power) for code, power in sorted(powers.items()) if power))
