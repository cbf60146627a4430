"""token: a code, with or without its system; upper and lower case differ. https://hl7.org/fhir/R4/search.html#token

A coding has two keys, `code=8480-6` and `code=http://loinc.org|8480-6`; a plain code, whose system its element
implies, has one.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from fhir_server.fhirpath.compile import Item
from fhir_server.search.term import Alternative, Asked, Entry, Keys, keys, starting
from fhir_server.search.value import split, unescape

_PRIMITIVES = frozenset({"boolean", "canonical", "code", "date", "dateTime", "id", "integer", "positiveInt", "string",
                         "unsignedInt", "uri", "url"})


def index(item: Item, zone: tzinfo) -> Iterator[Entry]:
    if item.type in _PRIMITIVES:
        yield Entry((_plain(_written(item.value)),))
    elif item.type in _CODES:
        for system, code in _CODES[item.type](item.value):
            yield Entry(_forms(system, code))


def _of_coding(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield value.get("system", ""), value.get("code", "")


def _of_concept(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for coding in value.get("coding", ()):
        yield from _of_coding(coding)


def _of_identifier(value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield value.get("system", ""), value.get("value", "")


_CODES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, str]]]] = {
    "Coding": _of_coding,
    "CodeableConcept": _of_concept,
    "Identifier": _of_identifier,
    "ContactPoint": _of_identifier,
}


def _forms(system: str, code: str) -> tuple[str, ...]:
    if not code:
        return (f"{system}|",) if system else ()
    return _plain(code), f"{system}|{code}"


def _plain(code: str) -> str:
    r"""A code without its system; its own bars are escaped, so that it is never taken for a system and a code."""
    return code.replace("|", "\\|")


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def match(asked: Asked, value: str) -> Alternative:
    """`code`, `system|code`, `|code` (without system) or `system|` (any code of it)."""
    *system, code = map(unescape, split(value, "|", 1))
    if asked.within:
        return keys(asked.code, f"{asked.within}|{code}") if system in ([], [asked.within]) else Keys(())
    if not system:
        return keys(asked.code, _plain(code))
    if asked.types <= _PRIMITIVES:
        return _implied(asked, system[0], code)
    return keys(asked.code, f"{system[0]}|{code}") if code else starting(asked.code, f"{system[0]}|")


def _implied(asked: Asked, system: str, code: str) -> Alternative:
    """A code whose system is not stored: the element's required value set knows it."""
    if asked.systems is not None and system not in asked.systems:
        return Keys(())
    return keys(asked.code, _plain(code)) if code else starting(asked.code, "")


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match, "not": match}
