"""A part of each resource instead of the whole: `_summary` and `_elements`.

https://hl7.org/fhir/R4/search.html#summary · https://hl7.org/fhir/R4/search.html#elements
What is mandatory, what modifies and what is part of the summary is read from the definitions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from fhir_server.definitions.registry import Definitions, Element
from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import Resource, decode, encode
from fhir_server.outcome import BadRequest
from fhir_server.validation.schema import Property, Schemas

SUBSETTED = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}

Wanted = Callable[[Element], bool]

# What is said of the elements of a resource itself.
SUMMARIES: Mapping[str, Wanted] = {
    "true": lambda one: one.summary or one.modifier or one.min > 0,
    "text": lambda one: one.name in ("id", "meta", "text") or one.min > 0,
    "data": lambda one: one.name != "text",
    "count": lambda one: False,
    "false": lambda one: True,
}
SINGLE = frozenset(("read", "vread", "capabilities"))
OF_ITS_TYPE = frozenset(("read", "vread", "search-type", "history-instance", "history-type"))
WHOLE = frozenset(("create", "update", "patch", "delete", "transaction"))


@dataclass(frozen=True)
class Shape:
    """What is to be shown: `summary` true, text, data or count; or else only `elements` of the root."""

    summary: str
    elements: frozenset[str] = frozenset()

    def wants(self, one: Element) -> bool:
        if self.summary:
            return SUMMARIES[self.summary](one)
        # Without those a resource means something else, or nothing.
        return one.min > 0 or one.modifier or one.name in ("id", "meta") or not self.elements.isdisjoint(
            (one.name, *one.json_names))


# No resource type has so many; what was asked for is remembered.
ELEMENTS_LIMIT = 100


def shape(request: Request, definitions: Definitions) -> Shape | None:
    """Returns what part of each resource is asked for, None for the whole. Raises BadRequest naming the parameter."""
    said = [(name, value) for name, value in request.shown if name in ("_summary", "_elements")]
    if not said or request.interaction in WHOLE:
        return None
    summary = next((value for name, value in reversed(said) if name == "_summary"), "false")
    if summary not in SUMMARIES:
        raise BadRequest(f"_summary is {summary[:40]!r}; known are {', '.join(SUMMARIES)}.", expression="http._summary")
    if summary == "count" and request.interaction in SINGLE:
        raise BadRequest("_summary=count is for what has a total: a search or a history.", expression="http._summary")
    elements = [one.strip() for name, value in said if name == "_elements" for one in value.split(",")]
    if not elements:
        return Shape(summary) if summary != "false" else None
    if len(elements) > ELEMENTS_LIMIT:
        raise BadRequest(f"_elements names at most {ELEMENTS_LIMIT} elements, not {len(elements)}.",
                         expression="http._elements")
    if summary != "false":
        raise BadRequest(f"_summary={summary} and _elements cannot be had together.", expression="http._elements")
    _check(elements, request.type if request.interaction in OF_ITS_TYPE else "", definitions)
    return Shape("", frozenset(elements))


def _check(elements: Sequence[str], type_: str, definitions: Definitions) -> None:
    """Where several types are shown an element need not be in each of them."""
    known = _parts(definitions).properties(type_) if type_ else {}
    names = {*known, *(one.element.name for one in known.values())}
    for one in elements:
        if not one.isalnum() or known and one not in names:
            raise BadRequest(f"{one[:64]!r} is no element of {type_ or 'any resource'}.", expression="http._elements")


def counting(request: Request, wanted: Shape) -> Request:
    """Returns the search that finds nothing but how many there are, where only the count is wanted."""
    if wanted.summary != "count" or not request.interaction.startswith("search"):
        return request
    return replace(request, query=(*(pair for pair in request.query if pair[0] != "_count"), ("_count", "0")))


def shaped(response: Response, wanted: Shape, definitions: Definitions) -> Response:
    """Returns the response with a part of each resource, marked as SUBSETTED, in the resource or in its entries."""
    if response.status != 200 or not response.raw:
        return response
    body, parts = decode(response.raw), _parts(definitions)
    if response.type or body["resourceType"] != "Bundle":
        return replace(response, raw=encode(parts.of(body, wanted)))
    return replace(response, raw=encode(_bundle(body, wanted, parts)))


def _bundle(bundle: Resource, wanted: Shape, parts: "Parts") -> Resource:
    if wanted.summary == "count":
        return {name: value for name, value in bundle.items() if name != "entry"}
    entries = [_entry(one, wanted, parts) for one in bundle.get("entry", ())]
    return {**bundle, "entry": entries} if entries else bundle


def _entry(entry: Resource, wanted: Shape, parts: "Parts") -> Resource:
    mode = entry.get("search", {}).get("mode")
    # "The list of elements does not apply to included resources."
    if "resource" not in entry or mode == "outcome" or mode == "include" and wanted.elements:
        return entry
    return {**entry, "resource": parts.of(entry["resource"], wanted)}


# An extension says of a value how to read it (a name in kana); what is inside has no summary of its own.
OPAQUE = ("Extension", "Element", "Resource")


class Parts:
    """Cuts parts out of resources; what is kept of a type is worked out once."""

    def __init__(self, definitions: Definitions) -> None:
        self._schemas = Schemas(definitions)
        # The lists of elements are the clients' own, so only so many of them are remembered.
        self._kept = lru_cache(512)(self._wanted)
        self._summaries: dict[str, dict[str, str]] = {}

    def properties(self, key: str) -> Mapping[str, Property]:
        return self._schemas.properties(key)

    def of(self, resource: Resource, wanted: Shape) -> Resource:
        """Returns the wanted part of one resource, with the tag that says it is one."""
        kept = self._kept(resource["resourceType"], wanted)
        found = {name: value for name, value in resource.items() if name in kept}
        if wanted.summary == "true":
            summed = {name: self._summed(value, kept[name]) for name, value in found.items()}
            found = {name: value for name, value in summed.items() if value not in ({}, [])}
        meta = resource.get("meta", {})
        tags = [one for one in meta.get("tag", ()) if one.get("code") != SUBSETTED["code"]]
        return {"resourceType": resource["resourceType"], **found, "meta": {**meta, "tag": [*tags, SUBSETTED]}}

    def _wanted(self, key: str, wanted: Shape) -> dict[str, str]:
        """By JSON name what is kept of an object described by `key`, and what describes its content."""
        return {name: one.key for name, one in self.properties(key).items() if wanted.wants(one.element)}

    def _summed(self, value: Any, key: str) -> Any:
        """The summary of what is inside; an object of which nothing is left is left out, for FHIR has no empty one."""
        if isinstance(value, list):
            return [one for one in (self._summed(one, key) for one in value) if one != {}]
        if not isinstance(value, dict) or key in OPAQUE:
            return value
        kept = self._summary(key)
        found = {name: self._summed(one, kept[name]) for name, one in value.items() if name in kept}
        return {name: one for name, one in found.items() if one not in ({}, [])}

    def _summary(self, key: str) -> dict[str, str]:
        if key not in self._summaries:
            self._summaries[key] = {
                name: one.key for name, one in self.properties(key).items()
                if one.element.name in ("id", "extension") or SUMMARIES["true"](one.element)}
        return self._summaries[key]


# The definitions as they stand now, and those before them, by which others still answer.
_parts = lru_cache(2)(Parts)
