"""Where a FHIRPath leads in a resource: the places themselves, to be changed. Also places where nothing is yet.

Understood are names, indices, first(), last(), single(), where(…), ofType(…), as(…) and extension('url').
https://hl7.org/fhir/R4/fhirpatch.html
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from fhir_server.definitions.registry import Definitions, Element
from fhir_server.fhirjson import Resource
from fhir_server.fhirpath.compile import Unsupported, extractor
from fhir_server.fhirpath.grammar import is_expression
from fhir_server.outcome import BadRequest, NotSupported

# Parsing a longer one takes tenths of a second.
PATH_LIMIT = 200
_TEXT = r"'(?:[^'\\]|\\.)*'"
_STEP = re.compile(
    rf"""\s*\.?\s*(?:(?P<name>[A-Za-z_]\w*|`[^`]+`)
    (?:\s*\((?P<given>(?:[^()']|{_TEXT}|\((?:[^()']|{_TEXT}|\((?:[^()']|{_TEXT})*\))*\))*)\))?
    |\[\s*(?P<index>\d{{1,9}})\s*\])\s*""",
    re.VERBOSE)
_BACKBONE = ("BackboneElement", "Element")


@dataclass(frozen=True)
class Step:
    """One step of a path: an element's name, a function with what is `given` to it, or an `index`."""

    name: str = ""
    given: str | None = None
    index: int | None = None


@dataclass(frozen=True)
class Place:
    """An element: `holder[member]`, or `holder[member][index]` where it repeats.

    type    of the element: `HumanName`, `date`, or a path: `Patient.contact`
    member  as in JSON: `valueQuantity`
    parent  the element that holds it; None of the resource itself
    """

    holder: dict[str, Any]
    member: str
    type: str
    index: int | None = None
    element: Element | None = None
    parent: "Place | None" = None

    @property
    def value(self) -> Any:
        return _at(self.holder.get(self.member), self.index)

    @property
    def extra(self) -> Any:
        """The id and extensions of a primitive, which JSON keeps beside it."""
        return _at(self.holder.get("_" + self.member), self.index)

    @property
    def inside(self) -> dict[str, Any]:
        """What holds the elements of this one; to change it is to change the resource only where that is not empty."""
        held = self.value if isinstance(self.value, dict) else self.extra
        return held if isinstance(held, dict) else {}


def _at(value: Any, index: int | None) -> Any:
    if index is None:
        return value
    return value[index] if isinstance(value, list) and index < len(value) else None


@lru_cache(1024)
def steps(path: str) -> Sequence[Step]:
    """Returns the steps of a path. Raises BadRequest for what is no FHIRPath, NotSupported for what is beyond it."""
    if len(path) > PATH_LIMIT or not is_expression(path):
        raise BadRequest(f"{path[:100]!r} is no FHIRPath.")
    found, position = [], 0
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            raise NotSupported(f"{path[:100]!r} is not supported from {path[position:position + 20]!r} on.")
        name, given, index = match.group("name", "given", "index")
        found.append(Step((name or "").strip("`"), given, int(index) if index else None))
        position = match.end()
    return tuple(found)


def root(resource: Resource) -> Place:
    """Returns the place of the resource itself."""
    return Place({"": resource}, "", str(resource.get("resourceType")))


def places(path: Sequence[Step], resource: Resource, definitions: Definitions) -> list[Place]:
    """Returns the places a path leads to, in order. Raises NotSupported for a function that is not understood here."""
    whole = root(resource)
    found, rest = [whole], path
    if path and path[0] == Step(whole.type):
        rest = path[1:]
    for step in rest:
        found = _stepped(found, step, definitions)
    return found


def _stepped(focus: list[Place], step: Step, definitions: Definitions) -> list[Place]:
    if step.index is not None:
        return focus[step.index:step.index + 1]
    if step.given is None:
        return [found for one in focus for found in children(one, step.name, definitions)]
    function = FUNCTIONS.get(step.name)
    if function is None:
        raise NotSupported(f"The function {step.name}() is not supported in the path of a patch.")
    return function(focus, step.given.strip(), definitions)


def children(place: Place, name: str, definitions: Definitions) -> Iterator[Place]:
    """Yields the elements called `name` that are there."""
    inside = place.inside
    for member, type_, element in members(place, name, definitions):
        value = inside.get(member, inside.get("_" + member))
        if isinstance(value, list):
            for i in range(len(value)):
                yield Place(inside, member, type_, i, element, place)
        elif value is not None:
            yield Place(inside, member, type_, None, element, place)


def members(place: Place, name: str, definitions: Definitions) -> list[tuple[str, str, Element]]:
    """Returns for an element of `place` its names in JSON, each with its type. Raises BadRequest where it has none."""
    type_ = _type(place)
    try:
        structure = definitions.structure(type_.partition(".")[0])
    except KeyError:
        raise BadRequest(f"There is no type {type_[:60]!r}.") from None
    owner, elements = type_, structure.elements
    if structure.kind == "primitive-type":
        owner, elements = "Element", definitions.structure("Element").elements
    path = f"{owner}.{name}"
    element = elements.get(path) or elements.get(f"{path}[x]")
    if element is None:
        raise BadRequest(f"There is no element {type_}.{name}.")
    return [(member, _type_at(path, kind, element), element) for member, kind in element.json_names.items()]


def _type(place: Place) -> str:
    """Of a contained resource only the resource tells."""
    value = place.value
    return str(value.get("resourceType")) if place.type == "Resource" and isinstance(value, dict) else place.type


def _type_at(path: str, kind: str, element: Element) -> str:
    return element.content_reference or (path if kind in _BACKBONE else kind)


def _where(focus: list[Place], criterion: str, definitions: Definitions) -> list[Place]:
    return [one for one in focus if True in _evaluated(criterion, one, definitions)]


def _evaluated(criterion: str, place: Place, definitions: Definitions) -> list[Any]:
    try:
        return [item.value for item in extractor(criterion, _type(place), definitions)(place.inside)]
    except Unsupported as error:
        raise NotSupported(f"where({criterion[:100]}) is not supported: {error}") from None


def _of_type(focus: list[Place], type_: str, definitions: Definitions) -> list[Place]:
    return [one for one in focus if _type(one) == type_.removeprefix("FHIR.")]


def _extension(focus: list[Place], url: str, definitions: Definitions) -> list[Place]:
    found = [one for place in focus for one in children(place, "extension", definitions)]
    return [one for one in found if f"'{one.inside.get('url')}'" == url]


def _single(focus: list[Place], given: str, definitions: Definitions) -> list[Place]:
    if len(focus) > 1:
        raise BadRequest("single() finds several elements.")
    return focus


FUNCTIONS: Mapping[str, Callable[[list[Place], str, Definitions], list[Place]]] = {
    "where": _where,
    "ofType": _of_type,
    "as": _of_type,
    "extension": _extension,
    "first": lambda focus, given, definitions: focus[:1],
    "last": lambda focus, given, definitions: focus[-1:],
    "single": _single,
}
