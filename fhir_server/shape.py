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
from fhir_server.validation.schema import Schemas

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
    if summary != "false":
        raise BadRequest(f"_summary={summary} and _elements cannot be had together.", expression="http._elements")
    _check(elements, request.type if request.interaction in OF_ITS_TYPE else "", definitions)
    return Shape("", frozenset(elements))


def _check(elements: Sequence[str], type_: str, definitions: Definitions) -> None:
    """Where several types are shown an element need not be in each of them."""
    known = _properties(definitions, type_) if type_ else {}
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
    body = decode(response.raw)
    if response.type or body["resourceType"] != "Bundle":
        return replace(response, raw=encode(part(body, wanted, definitions)))
    return replace(response, raw=encode(_bundle(body, wanted, definitions)))


def _bundle(bundle: Resource, wanted: Shape, definitions: Definitions) -> Resource:
    if wanted.summary == "count":
        return {name: value for name, value in bundle.items() if name != "entry"}
    entries = [_entry(one, wanted, definitions) for one in bundle.get("entry", ())]
    return {**bundle, "entry": entries} if entries else bundle


def _entry(entry: Resource, wanted: Shape, definitions: Definitions) -> Resource:
    mode = entry.get("search", {}).get("mode")
    # "The list of elements does not apply to included resources."
    if "resource" not in entry or mode == "outcome" or mode == "include" and wanted.elements:
        return entry
    return {**entry, "resource": part(entry["resource"], wanted, definitions)}


def part(resource: Resource, wanted: Shape, definitions: Definitions) -> Resource:
    """Returns the wanted part of one resource, with the tag that says it is one."""
    kept = _kept(definitions, resource["resourceType"], wanted)
    below = _summed if wanted.summary == "true" else _whole
    found = {name: below(value, kept[name], definitions) for name, value in resource.items() if name in kept}
    meta = resource.get("meta", {})
    tags = [one for one in meta.get("tag", ()) if one.get("code") != SUBSETTED["code"]]
    return {"resourceType": resource["resourceType"], **found, "meta": {**meta, "tag": [*tags, SUBSETTED]}}


@lru_cache(512)
def _kept(definitions: Definitions, key: str, wanted: Shape) -> dict[str, str]:
    """By JSON name what is kept of an object described by `key`, and what describes its content."""
    return {name: one.key for name, one in _properties(definitions, key).items() if wanted.wants(one.element)}


def _whole(value: Any, key: str, definitions: Definitions) -> Any:
    return value


def _summed(value: Any, key: str, definitions: Definitions) -> Any:
    if isinstance(value, list):
        return [_summed(one, key, definitions) for one in value]
    if not isinstance(value, dict) or key in OPAQUE:
        return value
    kept = _summary(definitions, key)
    return {name: _summed(one, kept[name], definitions) for name, one in value.items() if name in kept}


# An extension says of a value how to read it (a name in kana); what is inside has no summary of its own.
OPAQUE = ("Extension", "Element", "Resource")


@lru_cache(4096)
def _summary(definitions: Definitions, key: str) -> dict[str, str]:
    return {name: one.key for name, one in _properties(definitions, key).items()
            if one.element.name in ("id", "extension") or SUMMARIES["true"](one.element)}


def _properties(definitions: Definitions, key: str) -> Mapping[str, Any]:
    return _schemas(definitions).properties(key)


@lru_cache(2)
def _schemas(definitions: Definitions) -> Schemas:
    return Schemas(definitions)
