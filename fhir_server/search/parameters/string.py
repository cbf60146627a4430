"""string: words from their start, in whatever width or case. https://hl7.org/fhir/R4/search.html#string

A key is the folded text, and behind a mark the text as it was written where that differs: so one key serves a start,
an exact text and a part.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from hashlib import sha256
from typing import Any

from fhir_server.fhirpath.compile import Item
from fhir_server.search.fold import fold
from fhir_server.search.term import Alternative, Asked, Entry, Pattern, keys, starting
from fhir_server.search.value import unescape

# So much of a text is found by its start or a part of it; an exact text is found whatever its length.
LIMIT = 200

_MARK = "\x1f"
_PARTS = {
    "HumanName": ("text", "family", "given", "prefix", "suffix"),
    "Address": ("text", "line", "city", "district", "state", "postalCode", "country"),
}
_TEXTS = frozenset({"string", "markdown"})


def index(item: Item, zone: tzinfo) -> Iterator[Entry]:
    for text in _texts(item):
        if folded := fold(text):
            yield Entry((_stored(folded, text),))


def _texts(item: Item) -> Iterator[str]:
    if item.type in _TEXTS:
        yield item.value
    for part in _PARTS.get(item.type, ()):
        found: Any = item.value.get(part, ())
        yield from (one for one in ([found] if isinstance(found, str) else found) if one)


def _stored(folded: str, text: str) -> str:
    if max(len(folded), len(text)) > LIMIT:
        return folded[:LIMIT] + _MARK + sha256(text.encode()).hexdigest()
    return folded + _MARK + (text if folded != text else "")


def starts_with(asked: Asked, value: str) -> Alternative:
    return starting(asked.code, fold(unescape(value))[:LIMIT])


def exact(asked: Asked, value: str) -> Alternative:
    text = unescape(value)
    return keys(asked.code, _stored(fold(text), text))


def contains(asked: Asked, value: str) -> Alternative:
    # A regular expression of MongoDB cannot hold the character NUL itself.
    part = re.escape(fold(unescape(value))).replace("\0", r"\x00")
    return Pattern(f"^{re.escape(asked.code)}=[^{_MARK}]*{part}")


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {
    "": starts_with,
    "exact": exact,
    "contains": contains,
}
