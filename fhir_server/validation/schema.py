"""The definitions of a resource type as one JSON Schema (2020-12): https://hl7.org/fhir/R4/json.html

Beyond JSON Schema's own keywords it uses four, to which `keywords.py` gives their meaning in both validators:
`literal` (primitives), `aligned` (an array and its `_` companion), `nests` (depth), `resource` (any resource inside).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fhir_server.definitions.registry import Definitions, Element
from fhir_server.fhirjson import Resource
from fhir_server.validation.primitives import PRIMITIVES

# How deep the content of an element may nest that can hold itself again (extensions, contained resources, items).
DEPTH = 50

# What can hold content of nearly any type, and so what holds it.
_OPEN = frozenset({"Extension", "Resource"})

# Types of elements whose content stands below them in the same structure.
_INLINE = ("BackboneElement", "Element")


@dataclass(frozen=True, slots=True)
class Property:
    """What a JSON property stands for.

    element    the element it belongs to
    key        where its content is described: a type, a path such as `Patient.contact`, or `Resource`
    companion  true of `_birthDate`, which holds the id and the extensions of `birthDate`
    """

    element: Element
    key: str
    companion: bool = False


Forms = dict[str, Property]


class Schemas:
    """Makes the schemas of resource types; what they share is made once."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._resource_types = frozenset(definitions.resource_types)
        self._properties: dict[str, Forms] = {}
        self._reached: dict[tuple[str, ...], frozenset[str]] = {}
        self._objects: dict[str, Resource] = {}

    def type_of(self, resource: Any) -> str:
        """Returns the resource type that `resource` says it has, or "" if it is none of R4 or no resource at all."""
        type_ = resource.get("resourceType") if isinstance(resource, dict) else None
        return type_ if isinstance(type_, str) and type_ in self._resource_types else ""

    def schema(self, type_: str) -> Resource:
        """Returns the whole schema of a type, or of what a path such as `Bundle.entry` holds.

        Every `$ref` points into its own `$defs`.
        """
        keys = self._reach(type_, "Extension") | {type_, "Extension"}
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"#/$defs/{type_}",
            "$defs": {key: self._content(key) for key in sorted(keys)},
        }

    def properties(self, key: str) -> Mapping[str, Property]:
        """Returns by JSON name what may stand in an object described by `key`; nothing for a primitive."""
        if key not in self._properties:
            self._properties[key] = {} if key in PRIMITIVES else dict(self._of_object(key))
        return self._properties[key]

    def _of_object(self, key: str) -> Iterator[tuple[str, Property]]:
        structure = self._definitions.structure(key.partition(".")[0])
        for path, element in structure.children(key).items():
            for name, type_ in element.json_names.items():
                inline = type_ in _INLINE and structure.children(path)
                target = element.content_reference or (path if inline else type_)
                yield name, Property(element, target)
                if target in PRIMITIVES and not element.plain:
                    yield "_" + name, Property(element, "Element", companion=True)

    def _reach(self, *keys: str) -> frozenset[str]:
        """What content of `keys` can hold at any depth, other than by an extension or a resource inside."""
        if keys not in self._reached:
            found: set[str] = set()
            new = set(keys)
            while new:
                new = {one.key for key in new for one in self.properties(key).values()} - found - _OPEN
                found |= new
            self._reached[keys] = frozenset(found)
        return self._reached[keys]

    def _content(self, key: str) -> Resource:
        if key in PRIMITIVES:
            return PRIMITIVES[key]
        if key not in self._objects:
            self._objects[key] = self._object(key)
        return self._objects[key]

    def _object(self, key: str) -> Resource:
        resource_type = {"resourceType": {"const": key}} if key in self._resource_types else {}
        forms = _by_element(self.properties(key)).values()
        simple = [name for one in forms for name in _simply_required(one)]
        content = {
            "title": key,
            "type": "object",
            "minProperties": 1,
            "properties": {**resource_type, **self._values(key)},
            "additionalProperties": False,
            "required": [*resource_type, *simple],
            "dependentSchemas": {name: rule for one in forms for name, rule in _exclusive(one)},
            "allOf": [rule for one in forms for rule in (*_required(one), *self._aligned(one))],
        }
        return {keyword: value for keyword, value in content.items() if value or value is False}

    def _values(self, key: str) -> Resource:
        """The schema of each property; {} for arrays of primitives: what these may hold depends on their companion."""
        return {
            name: {} if _in_pairs(one) else self._guarded(key, one)
            for name, one in self.properties(key).items()
        }

    def _guarded(self, key: str, one: Property) -> Resource:
        """The schema of a value; what may nest without end is measured before anybody steps into it."""
        content = self._repeated(one)
        if one.key not in _OPEN and key not in self._reach(one.key):
            return content
        return {"if": {"nests": DEPTH}, "then": content, "else": {"nests": DEPTH}}

    def _repeated(self, one: Property) -> Resource:
        return _array(self._single(one), nulls=one.companion) if one.element.repeats else self._single(one)

    def _single(self, one: Property) -> Resource:
        if one.key == "Resource":
            return {"resource": True}
        codes = self._definitions.codes(one.element.value_set) if one.element.binding == "required" else None
        if one.key == "code" and codes:
            return {"title": f"code of {one.element.value_set.rpartition('/')[2]}", "enum": sorted(codes)}
        return {"$ref": f"#/$defs/{one.key}"}

    def _aligned(self, forms: Forms) -> Iterator[Resource]:
        """A null in an array of primitives stands for a value of which only `_` tells something.

        https://hl7.org/fhir/R4/json.html#primitive
        """
        for name, one in forms.items():
            if _in_pairs(one):
                single = self._single(one)
                yield {
                    "if": {"required": ["_" + name]},
                    "then": {"aligned": name, "properties": {name: _array(single, nulls=True)}},
                    "else": {"properties": {name: _array(single)}},
                }


def _in_pairs(one: Property) -> bool:
    return one.element.repeats and one.key in PRIMITIVES and not one.element.plain


def _array(single: Resource, nulls: bool = False) -> Resource:
    items = {"if": {"type": "null"}, "else": single} if nulls else single
    return {"title": "array", "type": "array", "minItems": 1, "items": items}


def _by_element(properties: Mapping[str, Property]) -> dict[str, Forms]:
    forms: dict[str, Forms] = {}
    for name, one in properties.items():
        forms.setdefault(one.element.name, {})[name] = one
    return forms


def _simply_required(forms: Forms) -> list[str]:
    return [name for name, one in forms.items() if one.element.min and len(forms) == 1]


def _required(forms: Forms) -> Iterator[Resource]:
    """One of several names must be there: `status` or `_status`, any of `value[x]`."""
    element = next(iter(forms.values())).element
    if element.min and len(forms) > 1:
        title = f"{element.name}[x]" if element.choice else element.name
        yield {"title": title, "anyOf": [{"required": [name]} for name in forms]}


def _exclusive(forms: Forms) -> Iterator[tuple[str, Resource]]:
    """For each form of a choice the later ones, refused beside it: https://hl7.org/fhir/R4/formats.html#choice"""
    types = [name for name, one in forms.items() if not one.companion]
    for place, type_ in enumerate(types[:-1]):
        later = [name for name in forms if name.removeprefix("_") in types[place + 1:]]
        rule = {"properties": dict.fromkeys(later, {"not": True})}
        yield from ((name, rule) for name in (type_, "_" + type_) if name in forms)
