"""Search by looking at every resource: slow, plain and independent of ours, over values that fhirpathpy finds.

For each parameter type: the questions worth asking about the values of some resources, each with the text of the
search value and with what a resource must have to be found.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

JST = timezone(timedelta(hours=9))
EVER = (datetime.min.replace(tzinfo=JST), datetime.max.replace(tzinfo=JST))


@dataclass(frozen=True)
class Question:
    """`?code<modifier>=<text>`, and whether one of a resource's values answers it."""

    modifier: str
    text: str
    holds: Callable[[Any], bool]


def escaped(text: str) -> str:
    return re.sub(r"([\\,|$])", r"\\\1", text)


def codes(value: Any) -> set[tuple[str, str]]:
    """(system, code) of what a token parameter finds."""
    if not isinstance(value, Mapping):
        return {("", str(value).lower() if isinstance(value, bool) else str(value))}
    if "coding" in value or not {"code", "value"} & set(value):
        return {pair for one in value.get("coding", ()) for pair in codes(one)}
    return {(value.get("system", ""), value.get("code", value.get("value", "")))}


def token(values: Sequence[Any]) -> Iterator[Question]:
    for system, code in sorted({pair for value in values for pair in codes(value) if pair[1]}):
        yield Question("", escaped(code), lambda one, code=code: any(code == known for _, known in codes(one)))
        if system:
            yield Question("", f"{escaped(system)}|{escaped(code)}",
                           lambda one, pair=(system, code): pair in codes(one))


def string(values: Sequence[Any]) -> Iterator[Question]:
    for text in sorted({part for value in values for part in parts(value)}):
        yield Question(":exact", escaped(text), lambda one, text=text: text in set(parts(one)))
        if text.isascii() and text[:4].isalpha():
            start = text[:4].casefold()
            yield Question("", start, lambda one, start=start: any(plain(it).startswith(start) for it in parts(one)))


NAMED = ("text", "family", "given", "prefix", "suffix", "line", "city", "district", "state", "postalCode", "country")


def parts(value: Any) -> Iterator[str]:
    """The texts of a string, of a name, of an address."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name in NAMED:
            found = value.get(name, ())
            yield from [found] if isinstance(found, str) else filter(None, found)


def plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(one for one in apart if not unicodedata.combining(one)).split())


def reference(values: Sequence[Any]) -> Iterator[Question]:
    found = {address(value) for value in values}
    for one in sorted(filter(None, found)):
        yield Question("", one, lambda value, one=one: address(value) == one)


def address(value: Any) -> str:
    """`Type/id` of a reference within the server, else ""."""
    text = value if isinstance(value, str) else str(value.get("reference", ""))
    return text if re.fullmatch(r"[A-Z]\w+/[\w.-]{1,64}", text) else ""


def uri(values: Sequence[Any]) -> Iterator[Question]:
    for text in sorted({str(value) for value in values}):
        yield Question("", escaped(text), lambda one, text=text: one == text)


def number(values: Sequence[Any]) -> Iterator[Question]:
    for text in sorted({str(amount(value)) for value in values if amount(value) is not None}):
        given = Decimal(text)
        half = Decimal(5).scaleb(int(given.as_tuple().exponent) - 1)
        yield Question("", text, lambda one, low=given - half, high=given + half: within(one, low, high))
        yield Question("", f"gt{text}", lambda one, given=given: amount(one) is not None and amount(one) > given)
        yield Question("", f"le{text}", lambda one, given=given: amount(one) is not None and amount(one) <= given)


def amount(value: Any) -> Decimal | None:
    found = value.get("value") if isinstance(value, Mapping) else value
    return None if found is None else Decimal(str(found))


def within(value: Any, low: Decimal, high: Decimal) -> bool:
    found = amount(value)
    return found is not None and low <= found < high


def date(values: Sequence[Any]) -> Iterator[Question]:
    for day in sorted({start.date().isoformat() for value in values for start, _ in [span(value)] if start != EVER[0]}):
        asked = instants(day)
        yield Question("", day, lambda one, asked=asked: asked[0] <= span(one)[0] and span(one)[1] <= asked[1])
        # The letter of the standard: beyond the year, or wholly within it. What only ends in it is neither.
        yield Question("", f"ge{day[:4]}", lambda one, asked=instants(day[:4]): span(one)[1] > asked[1]
                       or asked[0] <= span(one)[0])
        yield Question("", f"lt{day}", lambda one, asked=asked: span(one)[0] < asked[0])


def span(value: Any) -> tuple[datetime, datetime]:
    """From when until, not including, when a date or a period is."""
    if isinstance(value, str):
        return instants(value)
    start, end = value.get("start"), value.get("end")
    return (instants(start)[0] if start else EVER[0], instants(end)[1] if end else EVER[1])


def instants(text: str) -> tuple[datetime, datetime]:
    """The first moment of a date of any precision, and the first moment behind it."""
    if len(text) == 4:
        return datetime(int(text), 1, 1, tzinfo=JST), datetime(int(text) + 1, 1, 1, tzinfo=JST)
    if len(text) == 7:
        year, month = map(int, text.split("-"))
        return datetime(year, month, 1, tzinfo=JST), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=JST)
    moment = datetime.fromisoformat(text)
    if len(text) == 10:
        return moment.replace(tzinfo=JST), moment.replace(tzinfo=JST) + timedelta(days=1)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=JST)
    precision = timedelta(milliseconds=1) if "." in text else timedelta(seconds=1)
    return moment, moment + precision


QUESTIONS: Mapping[str, Callable[[Sequence[Any]], Iterator[Question]]] = {
    "token": token, "string": string, "reference": reference, "uri": uri, "number": number, "quantity": number,
    "date": date,
}
