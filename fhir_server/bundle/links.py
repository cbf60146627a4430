"""References inside a transaction: entries point at each other by fullUrl until ids are known.

https://hl7.org/fhir/R4/http.html#transaction · https://hl7.org/fhir/R4/bundle.html#references
"""

from collections.abc import Mapping
from typing import Any

from fhir_server.outcome import BadRequest

# A business identifier may well be a urn:uuid; it names the thing itself and is never a link.
NEVER_LINKS = frozenset(("system", "value"))


def linked(node: Any, ids: Mapping[str, str], place: str) -> Any:
    """Returns a copy of `node` in which every link to a fullUrl in `ids` is the literal `Type/id`.

    Raises BadRequest for a Reference to a urn: that no entry has.
    """
    if isinstance(node, dict):
        return {name: _member(name, value, ids, f"{place}.{name}") for name, value in node.items()}
    if isinstance(node, list):
        return [linked(one, ids, f"{place}[{i}]") for i, one in enumerate(node)]
    return node


def _member(name: str, value: Any, ids: Mapping[str, str], place: str) -> Any:
    if not isinstance(value, str):
        return linked(value, ids, place)
    if name in NEVER_LINKS:
        return value
    if value in ids:
        return ids[value]
    if name == "reference":
        return _reference(value, ids, place)
    return value


def _reference(value: str, ids: Mapping[str, str], place: str) -> str:
    # A link may go on to one version or into the resource: urn:uuid:…#part.
    url, hash_, part = value.partition("#")
    if hash_ and url in ids:
        return f"{ids[url]}#{part}"
    if value.startswith(("urn:uuid:", "urn:oid:")):
        raise BadRequest(f"No entry of the transaction has the fullUrl {value[:80]}.", expression=place)
    if "?" in url and not url.startswith(("http:", "https:")):
        raise BadRequest(f"The conditional reference {value[:80]!r} is not supported.", expression=place)
    return value
