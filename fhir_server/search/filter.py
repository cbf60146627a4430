"""_filter: `given eq "taro" and (birthdate ge 1990 or not (gender eq male))`, read into the same criteria as the rest.

Neither `and` nor `or` binds closer: they are read from left to right. https://hl7.org/fhir/R4/search_filter.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from fhir_server.fhirjson import DecodeError, decode
from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.chain import criterion
from fhir_server.search.criteria import Criterion, Reader
from fhir_server.search.criterion import OR_LIMIT, term
from fhir_server.search.parameters.string import MARK
from fhir_server.search.searchable import missing
from fhir_server.search.term import LAST, Alternative, Sift, Stretch, Term
from fhir_server.search.value import PREFIXES, escape
from fhir_server.store.plan import Filter

NESTING_LIMIT = 10
COMPARISON_LIMIT = 100

_TOKEN = re.compile(r'\s*(?:([()])|"((?:[^"\\]|\\.)*)"|([^\s()"\[\]]+)|(\S))')
_VALUE = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"|[^\s)\]]+)')
_PATH = re.compile(r"[A-Za-z_][\w.:-]*", re.ASCII)


class Operation(NamedTuple):
    """How an operation of a filter is asked: by a modifier or a prefix.

    negated  none of the values may be so
    whole    not only the start of a text, but all of it
    """

    modifier: str = ""
    prefix: str = ""
    negated: bool = False
    whole: bool = False


_ORDERED = {one: Operation(prefix=one) for one in PREFIXES}
_EQUAL = {"eq": Operation(), "ne": Operation(negated=True)}

# By type of search parameter. https://hl7.org/fhir/R4/search_filter.html#ops
OPERATIONS: Mapping[str, Mapping[str, Operation]] = {
    "date": _ORDERED,
    "number": _ORDERED,
    "quantity": _ORDERED,
    "string": {"eq": Operation(whole=True), "ne": Operation(whole=True, negated=True), "co": Operation("contains"),
               "sw": Operation()},
    "token": {**_EQUAL, "in": Operation("in"), "ni": Operation("not-in"), "ss": Operation("below"),
              "sb": Operation("above")},
    "reference": {**_EQUAL, "re": Operation()},
    "uri": {**_EQUAL, "ss": Operation("below"), "sb": Operation("above")},
}


def read_filter(text: str, reader: Reader) -> Sequence[Criterion]:
    """Returns the criteria that must all hold. Raises BadRequest that says where the text goes wrong, NotSupported."""
    if sum(match[3] in _JOINING for match in _TOKEN.finditer(text)) >= COMPARISON_LIMIT:
        raise BadRequest(f"_filter: at most {COMPARISON_LIMIT} comparisons.")
    filter_ = _Filter(text, reader)
    found, end = filter_.several(0, 0)
    if text[end:].strip():
        raise filter_.fault(end, "and, or, or the end")
    return found


# Criteria that must all hold, and where in the text they end.
Step = tuple[Sequence[Criterion], int]


@dataclass(frozen=True)
class _Filter:
    text: str
    reader: Reader

    def several(self, start: int, depth: int) -> Step:
        """Reads comparisons joined by `and` and `or`."""
        if depth > NESTING_LIMIT:
            raise BadRequest(f"_filter: parentheses are nested more than {NESTING_LIMIT} deep.")
        found, end = self.one(start, depth)
        while (word := self.word(end)) and word[0] in _JOINING:
            more, end = self.one(word[1], depth)
            found = _JOINING[word[0]](found, more)
        return found, end

    def one(self, start: int, depth: int) -> Step:
        """Reads a comparison, or what stands in parentheses, negated or not."""
        word, end = self.word(start)
        opening = self.word(end)
        if word == "not" and opening[0] == "(":
            found, end = self.enclosed(opening[1], depth)
            return [_negated(found)], end
        return self.enclosed(end, depth) if word == "(" else self.comparison(start)

    def enclosed(self, start: int, depth: int) -> Step:
        found, end = self.several(start, depth + 1)
        word, after = self.word(end)
        if word != ")":
            raise self.fault(end, ")")
        return found, after

    def comparison(self, start: int) -> Step:
        path, end = self.word(start)
        if not _PATH.fullmatch(path):
            raise self.fault(start, "a search parameter")
        if self.text[end:end + 1] == "[":
            raise NotSupported(f"_filter: filters within a path, as in {path[:60]}[…], are not supported.")
        operation, after = self.word(end)
        value = _VALUE.match(self.text, after)
        if not value:
            raise self.fault(after, "a value")
        leaf = partial(_leaf, operation=operation)
        return [criterion(path, _read(value[0].strip()), self.reader, leaf)], value.end()

    def word(self, start: int) -> tuple[str, int]:
        """Returns what stands at `start`, and where it ends."""
        match = _TOKEN.match(self.text, start)
        return (match[0].strip(), match.end()) if match else ("", len(self.text))

    def fault(self, start: int, expected: str) -> BadRequest:
        there = self.text[start:].strip()[:30]
        return BadRequest(f"_filter: at character {start + 1} {expected} is expected, not {there!r}.")


def _read(value: str) -> str:
    """The text of a value, in quotes or not."""
    try:
        read = str(decode(value)) if value.startswith('"') else value
    except (DecodeError, UnicodeDecodeError):
        raise BadRequest(f"_filter: {value[:60]} is no text in quotes as JSON has them.") from None
    if not read.strip():
        raise BadRequest("_filter has an empty value.")
    return read


def _leaf(name: str, value: str, reader: Reader, operation: str) -> Term:
    """The term of one comparison of a resource's own."""
    parameter = reader.known.parameters.get(name)
    if name in reader.definitions.building.get(reader.type, ()):
        raise missing(reader.type, name, reader.definitions)
    if parameter is None or ":" in name:
        raise NotSupported(f"_filter: {reader.type} has no search parameter {name[:60]} here.")
    if operation == "pr":
        return term(f"{name}:missing", {"true": "false", "false": "true"}.get(value, value), reader)
    operations = OPERATIONS.get(parameter.type, {})
    if operation not in operations:
        known = ", ".join((*operations, "pr"))
        raise NotSupported(f"_filter: {name} does not support {operation[:60]!r}, only {known}.")
    asked = operations[operation]
    written = escape(value) if parameter.type == "string" else escape(value, ",")
    found = term(f"{name}:{asked.modifier}" if asked.modifier else name, asked.prefix + written, reader)
    alternatives = [_whole(one) for one in found.alternatives] if asked.whole else found.alternatives
    return replace(found, alternatives=alternatives, negated=found.negated or asked.negated)


def _whole(start: Alternative) -> Alternative:
    """All keys whose text is the one it starts with, however it was written."""
    return Stretch(start.low + MARK, start.low + MARK + LAST) if isinstance(start, Stretch) else start


def _both(found: Sequence[Criterion], more: Sequence[Criterion]) -> Sequence[Criterion]:
    return [*found, *more]


def _either(found: Sequence[Criterion], more: Sequence[Criterion]) -> Sequence[Criterion]:
    """One criterion: of links, or of what a resource itself has."""
    match [*found, *more]:
        case [tuple() as one, tuple() as other]:
            return [one + other]
    either = Term([*_alternatives(found), *_alternatives(more)])
    if len(either.keys) > OR_LIMIT:
        raise BadRequest(f"_filter: at most {OR_LIMIT} values joined by or.")
    return [either]


def _negated(found: Sequence[Criterion]) -> Term:
    match found:
        case [Term() as only]:
            return replace(only, negated=not only.negated, dated=None)
    return Term(_alternatives(found), negated=True)


def _alternatives(found: Sequence[Criterion]) -> Sequence[Alternative]:
    """The same as ways of which any will do; filters do not lie deeper within each other than parentheses do."""
    match found:
        case [Term(alternatives=alternatives, negated=False)]:
            return alternatives
    return [Sift({"$and": [_filter(one) for one in found]})]


def _filter(found: Criterion) -> Filter:
    if isinstance(found, Term):
        return found.filter
    raise NotSupported("_filter: a chain to another resource can be joined to others by and alone, and not negated.")


_JOINING: Mapping[str, Callable[[Sequence[Criterion], Sequence[Criterion]], Sequence[Criterion]]] = {
    "and": _both,
    "or": _either,
}
