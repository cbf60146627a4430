"""uri: the whole address, character by character. https://hl7.org/fhir/R4/search.html#uri"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from fhir_server.outcome import BadRequest
from fhir_server.search.term import Alternative, Asked, Entry, Rules, Store, key, keys, starting
from fhir_server.search.value import unescape

# An address has no more parts than this, or it is none that stands above another.
_PARTS = 50


def _address(code: str, value: Any, rules: Rules) -> Entry:
    return Entry((key(code, value),))


INDEXED: Mapping[str, Store] = dict.fromkeys(("uri", "url", "canonical", "oid", "uuid"), _address)


def match(asked: Asked, value: str) -> Alternative:
    return keys(asked.code, unescape(value))


def below(asked: Asked, value: str) -> Alternative:
    """The address and all that start with it."""
    return starting(asked.code, unescape(value))


def above(asked: Asked, value: str) -> Alternative:
    """The address and those it lies below, part by part: of `http://a/b/c` also `http://a/b/` and `http://a/b`."""
    whole = unescape(value)
    found = [one for match in re.finditer(r"(?<=[^/:])[/.](?=[^/])", whole) for one in _cut(whole, match.start())]
    if len(found) > 2 * _PARTS:
        raise BadRequest(f"{asked.parameter.code}:above: an address has at most {_PARTS} parts.")
    return keys(asked.code, *dict.fromkeys([*found, whole.rstrip("/"), whole]))


def _cut(whole: str, at: int) -> tuple[str, ...]:
    """Parts of an address end in a slash, those of an object identifier in a point."""
    if whole[at] == ".":
        return (whole[:at],) if whole.startswith("urn:oid:") else ()
    return whole[:at], whole[: at + 1]


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match, "above": above, "below": below}
