"""The types of search parameters: what each stores, and what each modifier asks, in one file per type.

https://hl7.org/fhir/R4/search.html#ptypes
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fhir_server.definitions.registry import SearchParameter
from fhir_server.search.parameters import (
    composite, date, number, quantity, reference, special, string, text, token, uri)
from fhir_server.search.term import Alternative, Asked, Store


@dataclass(frozen=True)
class ParameterType:
    """`stores`: what is stored of a value, by its FHIR type; `modifiers`: what a value asks, "" for none."""

    stores: Mapping[str, Store]
    modifiers: Mapping[str, Callable[[Asked, str], Alternative]]


PARAMETER_TYPES = {
    # What it stores depends on its components.
    "composite": ParameterType({}, composite.MODIFIERS),
    "date": ParameterType(date.INDEXED, date.MODIFIERS),
    "number": ParameterType(number.INDEXED, number.MODIFIERS),
    "quantity": ParameterType(quantity.INDEXED, quantity.MODIFIERS),
    "reference": ParameterType(reference.INDEXED, reference.MODIFIERS),
    "special": ParameterType(special.INDEXED, special.MODIFIERS),
    "string": ParameterType(string.INDEXED, string.MODIFIERS),
    "token": ParameterType(token.INDEXED, token.MODIFIERS),
    "uri": ParameterType(uri.INDEXED, uri.MODIFIERS),
}

# Strings by definition, of the whole resource: they have no expression, and are searched word by word.
FULL_TEXT = {
    "_content": ParameterType({}, text.CONTENT_MODIFIERS),
    "_text": ParameterType({}, text.NARRATIVE_MODIFIERS),
}


def type_of(parameter: SearchParameter) -> ParameterType:
    """Returns how a parameter is stored and asked. Raises KeyError for a type that FHIR R4 does not have."""
    return FULL_TEXT.get(parameter.code) or PARAMETER_TYPES[parameter.type]
