"""All text that people wrote in a resource, for full text search: its strings, as the definitions tell them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from html import unescape
from typing import Any

from fhir_server.definitions.registry import Definitions, Element
from fhir_server.fhirjson import Resource
from fhir_server.search.fold import Fold
from fhir_server.search.words import CONTENT, NARRATIVE, grams

# By the JSON name of an element what lies below it; None for text.
Node = dict[str, "Node | None"]

# A longer text than a note has its words found up to here, a resource so many grams of each kind.
TEXT_LIMIT = 20_000
GRAM_LIMIT = 2000

_TEXTS = frozenset({"string", "markdown"})
# Strings that are no language: numbers and addresses, which have search parameters of their own, units and formulas;
# and the names of other resources: that of the hospital on each of its results would lead nowhere and cost the most.
_NO_TEXT = frozenset({
    "Identifier.value", "ContactPoint.value", "Coding.version", "Reference.reference", "Reference.display",
    "Expression.expression", "SampledData.data",
    *(f"{one}.unit" for one in ("Quantity", "Age", "Count", "Distance", "Duration")),
})
# The narrative has keys of its own; what is contained is another resource.
_APART = frozenset({"Resource", "Meta", "Narrative"})
_SHORT = 200
# Without a second < inside: many that nothing closes would be looked through again and again.
_TAG = re.compile(r"<[^<>]*>")


def keys(resource: Resource, definitions: Definitions, fold: Fold) -> set[str]:
    """Returns the keys of words and parts of words in `resource`."""
    texts: set[str] = set()
    _collect(resource, node(resource["resourceType"], definitions.standard), texts)
    if sum(map(len, texts)) > GRAM_LIMIT:
        found = _first_grams(texts, fold)
    else:
        found = {one for text in texts for one in _short(text, fold)}
    if narrative := resource.get("text"):
        found.update(_of_narrative(narrative.get("div", ""), fold))
    return found


@lru_cache(maxsize=8192)
def _kept(text: str, fold: Fold) -> tuple[str, ...]:
    return _made(text, fold)


def _made(text: str, fold: Fold) -> tuple[str, ...]:
    return tuple(f"{CONTENT}={gram}" for gram in grams(fold(text[:TEXT_LIMIT])))


def _short(text: str, fold: Fold) -> tuple[str, ...]:
    """Displays come again and again, notes do not."""
    return _kept(text, fold) if len(text) <= _SHORT else _made(text, fold)


def _first_grams(texts: Iterable[str], fold: Fold) -> set[str]:
    """Those of short texts come first."""
    found: set[str] = set()
    for text in sorted(texts, key=lambda one: (len(one), one)):
        found.update(_short(text, fold)[: GRAM_LIMIT - len(found)])
    return found


def _of_narrative(div: str, fold: Fold) -> Iterator[str]:
    text = unescape(_TAG.sub(" ", div[: 4 * TEXT_LIMIT]))[:TEXT_LIMIT]
    return (f"{NARRATIVE}={gram}" for gram in list(dict.fromkeys(grams(fold(text))))[:GRAM_LIMIT])


def _collect(value: Mapping[str, Any], known: Node, found: set[str]) -> None:
    for name, one in value.items():
        if name not in known:
            continue
        below, each = known[name], one if type(one) is list else (one,)
        if below is None:
            found.update(filter(None, each))
        else:
            for inner in each:
                _collect(inner or {}, below, found)


@lru_cache(maxsize=4096)
def node(path: str, definitions: Definitions) -> Node:
    """Returns what lies below a type or an element: `Patient`, `HumanName`, `Observation.component`."""
    return _build(path, definitions, {})


def _build(path: str, definitions: Definitions, built: dict[str, Node]) -> Node:
    if path not in built:
        made = built[path] = {}
        for place, element in definitions.structure(path.partition(".")[0]).children(path).items():
            for name, type_ in element.json_names.items():
                _add(made, name, place, type_, element, definitions, built)
    return built[path]


def _add(
    made: Node, name: str, place: str, type_: str, element: Element, definitions: Definitions, built: dict[str, Node]
) -> None:
    below = element.content_reference or (place if type_ in ("BackboneElement", "Element") else type_)
    if place in _NO_TEXT or type_ in _APART:
        return
    if type_ in _TEXTS:
        made[name] = None
    elif "." in below or definitions.structure(below).kind == "complex-type":
        made[name] = _build(below, definitions, built)
