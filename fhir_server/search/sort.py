"""What resources are sorted by, beside their clinical date: one text for each parameter that is worth its index entry.

https://hl7.org/fhir/R4/search.html#sort
"""

from collections.abc import Callable, Mapping, Sequence

from fhir_server.search.parameters import string

# Each value costs an entry in the index: these are sorted by, and all dates and numbers.
SORTED = frozenset({"name", "family", "given", "title", "url", "code", "status", "priority", "value-quantity",
                    "organization"})
# Only where a type has no clinical date: what is recorded of a patient is not looked for in the order of its numbers.
SORTED_UNDATED = frozenset({"identifier"})
SORTED_TYPES = frozenset({"date", "number"})
# Longer texts are equal here; the id decides.
LIMIT = 100

Choose = Callable[[Sequence[Sequence[str]]], str]


def sorting(type_: str) -> Choose:
    """Returns what tells the text to sort by, of the keys of each value: it sorts as the value does."""
    return _CHOSEN.get(type_, _first)


def _text(key: str) -> str:
    return key.partition("=")[2][:LIMIT]


def _first(values: Sequence[Sequence[str]]) -> str:
    """A code without its system, a reference, an address."""
    return _text(values[0][0])


def _least(values: Sequence[Sequence[str]]) -> str:
    return min(_text(one[0]) for one in values)


def _in_base_units(values: Sequence[Sequence[str]]) -> str:
    return _text(values[0][-1])


def _reading(values: Sequence[Sequence[str]]) -> str:
    """Names by how they are read, where kana tell it."""
    return string.sorted_by([_text(one) for keys in values for one in keys if not one.startswith("_")])[:LIMIT]


_CHOSEN: Mapping[str, Choose] = {"date": _least, "number": _least, "quantity": _in_base_units, "string": _reading}
