"""reference: another resource. https://hl7.org/fhir/R4/search.html#reference

Stored as `Patient/p1`; on another server as `Patient/p1 http://other/fhir`; what is no address of a resource
(`urn:…`, a canonical without type) as it is.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.term import NOTHING, Alternative, Asked, Driven, Entry, Keys, Rules, Store, key, keys
from fhir_server.search.value import split, unescape

_ADDRESS = re.compile(
    r"(?:(https?://.+)/)?([A-Z][A-Za-z]+)/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}", re.ASCII)


# Keys of what is referred to by its identifier stand under a code of their own: `subject:identifier=…`.
IDENTIFIER = ":identifier"


def _reference(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    address, identifier = value.get("reference"), value.get("identifier")
    found = _kept_keys(code, address) if address else ()
    return Entry((*found, *_identified(code, identifier)) if identifier else found)


def _canonical(code: str, value: str, rules: Rules) -> Entry:
    return Entry(_kept_keys(code, value))


def _resource(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    """A resource inside another (the first entry of a document) refers to itself."""
    return Entry((key(code, f"{value['resourceType']}/{value['id']}"),)) if "id" in value else NOTHING


INDEXED: Mapping[str, Store] = {
    "Reference": _reference,
    "Resource": _resource,
    **dict.fromkeys(("canonical", "uri", "url", "oid", "uuid"), _canonical),
}


def _keys(code: str, address: str) -> tuple[str, ...]:
    if address.startswith("#"):
        return ()
    whole, versioned, _ = address.partition("|")
    found = key(code, _stored(address))
    return (found, key(code, _stored(whole))) if versioned else (found,)


# Resources about one patient come together, and most of what they refer to is the same.
_kept_keys = lru_cache(maxsize=4096)(_keys)


def _identified(code: str, identifier: Mapping[str, Any]) -> tuple[str, ...]:
    system, value = identifier.get("system", ""), identifier.get("value", "")
    whole = key(f"{code}{IDENTIFIER}", f"{system}|{value}")
    return (key(f"{code}{IDENTIFIER}", value.replace("|", "\\|")), whole) if value else ()


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


def identifier(asked: Asked, value: str) -> Alternative:
    """`system|value` or `value`: what is referred to by this identifier, whatever its address."""
    *system, text = map(unescape, split(value, "|", 1))
    if not text or "Reference" not in asked.types:
        raise BadRequest(f"{asked.parameter.code}:identifier is system|value of a reference, not {value!r}.")
    stored = f"{system[0]}|{text}" if system else text.replace("|", "\\|")
    return keys(f"{asked.code}{IDENTIFIER}", stored)


def below(asked: Asked, value: str) -> Alternative:
    """A canonical and the versions below it: of `url|2` also `url|2.1`; without a version all of them."""
    return _of_versions(asked, value, "below", lambda url, version: f"{re.escape(url)}\\|{re.escape(version)}(\\..*)?")


def above(asked: Asked, value: str) -> Alternative:
    """A canonical and the versions above it: of `url|2.1.3` also `url|2.1` and `url|2`."""
    return _of_versions(asked, value, "above", _upwards)


def _upwards(url: str, version: str) -> str:
    parts = version.split(".")
    above = [re.escape(".".join(parts[: n + 1])) for n in range(len(parts))]
    return f"{re.escape(url)}\\|({'|'.join(above)})"


def _of_versions(asked: Asked, value: str, modifier: str, pattern: Callable[[str, str], str]) -> Alternative:
    """The address without its version is a key too, and leads."""
    if asked.types.isdisjoint(_CANONICAL):
        raise NotSupported(f"{asked.parameter.code}:{modifier} is for versions of canonicals; it refers to resources.")
    url, _, version = unescape(value).partition("|")
    if not version:
        return keys(asked.code, _stored(url))
    found = pattern(url, version).replace("\0", r"\x00")
    return Driven((keys(asked.code, _stored(url)).keys,), {"ix": {"$regex": f"^{re.escape(asked.code)}={found}$"}})


_CANONICAL = frozenset({"canonical", "uri"})

MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {
    "": match, "identifier": identifier, "above": above, "below": below}
