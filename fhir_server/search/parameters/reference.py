"""reference: another resource. https://hl7.org/fhir/R4/search.html#reference

Stored as `Patient/p1`; on another server as `Patient/p1 http://other/fhir`; what is no address of a resource
(`urn:…`, a canonical without type) as it is.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo
from typing import Any

from fhir_server.fhirpath.compile import Item
from fhir_server.outcome import BadRequest
from fhir_server.search.term import Alternative, Asked, Entry, Keys, keys
from fhir_server.search.value import unescape

_ADDRESS = re.compile(
    r"(?:(https?://.+)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)


def index(item: Item, zone: tzinfo) -> Iterator[Entry]:
    address = _address(item)
    if address and not address.startswith("#"):
        whole, versioned, _ = address.partition("|")
        yield Entry((_stored(address), _stored(whole)) if versioned else (_stored(address),))


def _address(item: Item) -> str | None:
    """The reference as text. A resource inside another (the first entry of a document) refers to itself."""
    if isinstance(item.value, str):
        return item.value
    value: Mapping[str, Any] = item.value
    if item.type == "Resource":
        return f"{value['resourceType']}/{value['id']}" if "id" in value else None
    return value.get("reference")


def _stored(address: str) -> str:
    match = _ADDRESS.fullmatch(address)
    if not match:
        return address
    base, type_, id_ = match.groups()
    return f"{type_}/{id_} {base}" if base else f"{type_}/{id_}"


def match(asked: Asked, value: str) -> Alternative:
    """`Patient/p1`, an absolute address, or an id alone: then of any type the parameter may refer to."""
    text = unescape(value).removeprefix(f"{asked.base}/" if asked.base else "")
    if not _ID.fullmatch(text):
        found = _stored(text)
        return keys(asked.code, found) if found.startswith(_start(asked)) else Keys(())
    types = [asked.within] if asked.within else asked.parameter.target
    return keys(asked.code, *(f"{type_}/{text}" for type_ in types))


def of_type(asked: Asked, value: str, type_: str) -> Alternative:
    """`subject:Patient=p1`. Raises BadRequest for a reference to another type."""
    text = unescape(value)
    id_ = text.removeprefix(f"{type_}/")
    if not _ID.fullmatch(id_):
        raise BadRequest(f"{asked.parameter.code}:{type_}: {value!r} is no id of a {type_}.")
    return keys(asked.code, f"{type_}/{id_}") if asked.within in ("", type_) else Keys(())


def _start(asked: Asked) -> str:
    return f"{asked.within}/" if asked.within else ""


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": match}
