"""The types of search parameters: what each stores, and what each modifier asks, in one file per type.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from fhir_server.fhirpath.compile import Item
from fhir_server.search.parameters import date, number, quantity, reference, string, token, uri
from fhir_server.search.term import Alternative, Asked, Entry


@dataclass(frozen=True)
class ParameterType:
    """`index` gives what is stored of a value; `modifiers` what a value asks, by modifier, "" for none."""

    index: Callable[[Item, tzinfo], Iterable[Entry]]
    modifiers: Mapping[str, Callable[[Asked, str], Alternative]]


PARAMETER_TYPES = {
    "date": ParameterType(date.index, date.MODIFIERS),
    "number": ParameterType(number.index, number.MODIFIERS),
    "quantity": ParameterType(quantity.index, quantity.MODIFIERS),
    "reference": ParameterType(reference.index, reference.MODIFIERS),
    "string": ParameterType(string.index, string.MODIFIERS),
    "token": ParameterType(token.index, token.MODIFIERS),
    "uri": ParameterType(uri.index, uri.MODIFIERS),
}
