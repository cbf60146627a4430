"""References inside a transaction: entries point at each other by fullUrl until ids are known.

https://hl7.org/fhir/R4/http.html#transaction · https://hl7.org/fhir/R4/bundle.html#references
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhir_server.fhirjson import Resource
from fhir_server.outcome import BadRequest, FHIRError

# Elements of the types Reference, uri, url, canonical, oid and uuid: only they link, never a text that looks like it.
# Identifier.system and Identifier.value name the thing itself. In a narrative (div) its <a href> and <img src> link.
LINKING = re.compile(r"reference|div|.*([uU]rl|[uU]ri|[cC]anonical|Oid|Uuid)")
NARRATIVE = re.compile(r"""(<(?:a|img)\s[^<>]*?(?:href|src)\s*=\s*["'])([^"'<>]+)""")
_NESTED = (dict, list)
# `Patient?identifier=x|1`
CONDITIONAL = re.compile(r"[A-Z][A-Za-z]+\?")


@dataclass(frozen=True)
class Links:
    """Where links lead.

    ids      fullUrl → `Type/id`
    base     of the fullUrl of the entry that refers, with its last `/`: what relative references start from; or ""
    created  those of `ids` that are new: of them the version is known, it is the first
    own      base of this server
    match    what finds the `Type/id` a conditional reference means
    """

    ids: Mapping[str, str]
    base: str = ""
    created: frozenset[str] = frozenset()
    own: str = ""
    match: Callable[[str], str] | None = None

    def literal(self, value: str) -> str | None:
        """Returns the literal reference for a link; it may go on into the resource: `urn:uuid:…#part`."""
        url, mark, part = value.partition("#")
        found = self._entry(url) or self._version(url)
        return found + mark + part if found else None

    def _entry(self, url: str) -> str | None:
        return self.ids.get(url) or (self.ids.get(self.base + url) if self.base else None)

    def _version(self, url: str) -> str | None:
        head, versioned, _ = url.rpartition("/_history/")
        found = self._entry(head) if versioned else None
        return f"{found}/_history/1" if found in self.created else None

    def conditional(self, value: str) -> str:
        """Returns the conditional reference in `value`, relative to this server; "" where it is none."""
        relative = value.removeprefix(self.own + "/") if self.own else value
        return relative if CONDITIONAL.match(relative) else ""


def linked(resource: Resource, links: Links, place: str) -> Resource:
    """Returns a copy of `resource` in which every link to a fullUrl is the literal `Type/id`.

    Raises BadRequest for a Reference to a urn: that no entry has and for endless nesting; for a conditional one that
    does not mean one resource, what `links.match` raises.
    """
    try:
        found: Resource = _linked(resource, links)
        return found
    except _Nowhere as error:
        where = next(_places(resource, error.value, place), place)
        raise type(error.fault)(str(error.fault), expression=where) from None
    except RecursionError:
        raise BadRequest("The resource is nested too deeply.", expression=place) from None


class _Nowhere(Exception):
    """A reference that leads nowhere; its place is looked for only now, for links are many and faults are few."""

    def __init__(self, value: str, fault: FHIRError) -> None:
        super().__init__(str(fault))
        self.value, self.fault = value, fault


def _linked(node: Any, links: Links) -> Any:
    if isinstance(node, dict):
        # Most of a resource is plain values that do not link: these cost no call of ours.
        return {
            name: _member(name, value, links) if type(value) in _NESTED or _is_linking(name) else value
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [_linked(one, links) for one in node]
    return node


def _member(name: str, value: Any, links: Links) -> Any:
    if not _is_linking(name):
        return _linked(value, links) if isinstance(value, (dict, list)) else value
    if isinstance(value, str):
        return _literal(name, value, links)
    if isinstance(value, list):
        return [_literal(name, one, links) if isinstance(one, str) else _linked(one, links) for one in value]
    return _linked(value, links)


@lru_cache(4096)
def _is_linking(name: str) -> bool:
    return LINKING.fullmatch(name) is not None


def _literal(name: str, value: str, links: Links) -> str:
    if name == "div":
        return NARRATIVE.sub(lambda found: found[1] + (links.literal(found[2]) or found[2]), value)
    found = links.literal(value)
    if found or name != "reference":
        return found or value
    if value.startswith(("urn:uuid:", "urn:oid:")):
        raise _Nowhere(value, BadRequest(f"No entry of the transaction has the fullUrl {value[:80]}."))
    criteria = links.conditional(value) if "?" in value else ""
    return _matched(value, criteria, links.match) if criteria and links.match else value


def _matched(value: str, criteria: str, match: Callable[[str], str]) -> str:
    try:
        return match(criteria)
    except FHIRError as fault:
        raise _Nowhere(value, fault) from None


def _places(node: Any, value: str, place: str) -> Iterator[str]:
    """The places of the Reference `value`."""
    if isinstance(node, dict):
        if node.get("reference") == value:
            yield f"{place}.reference"
        for name, one in node.items():
            yield from _places(one, value, f"{place}.{name}")
    if isinstance(node, list):
        for i, one in enumerate(node):
            yield from _places(one, value, f"{place}[{i}]")
