"""uri: the whole address, character by character. https://hl7.org/fhir/R4/search.html#uri"""

from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo

from fhir_server.fhirpath.compile import Item
from fhir_server.search.term import Alternative, Asked, Entry, keys
from fhir_server.search.value import unescape

_ADDRESSES = frozenset({"uri", "url", "canonical", "oid", "uuid"})


def index(item: Item, zone: tzinfo) -> Iterator[Entry]:
    if item.type in _ADDRESSES:
        yield Entry((item.value,))


def match(asked: Asked, value: str) -> Alternative:
    return keys(asked.code, unescape(value))


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match}
