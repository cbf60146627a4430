"""FHIRPath Patch, said as Parameters: https://hl7.org/fhir/R4/fhirpatch.html"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from fhir_server.definitions.registry import Definitions, Element
from fhir_server.fhirjson import Resource
from fhir_server.outcome import BadRequest, FHIRError, TooLarge, Unprocessable
from fhir_server.patch import column
from fhir_server.patch.place import Place, Step, members, places, steps
from fhir_server.patch.rules import OPERATION_LIMIT, Rules
from fhir_server.patch.value import value_of

Part = Mapping[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation; `place` is where it stands: `Parameters.parameter[0]`."""

    type: str
    path: Sequence[Step]
    parts: Mapping[str, Part]
    place: str

    def number(self, name: str) -> int:
        value = self.parts.get(name, {}).get("valueInteger")
        if not isinstance(value, int) or value < 0:
            raise BadRequest(f"{self.type} needs {name}, a number from 0 on.", expression=self.place)
        return value

    def text(self, name: str) -> str:
        value = self.parts.get(name, {}).get("valueString")
        if not isinstance(value, str) or not value:
            raise BadRequest(f"{self.type} needs {name}, a string.", expression=self.place)
        return value

    @property
    def value(self) -> Part:
        if "value" not in self.parts:
            raise BadRequest(f"{self.type} needs value.", expression=self.place)
        return self.parts["value"]


def read(document: Any, rules: Rules) -> Callable[[Any], Any]:
    """Returns what applies the operations to a resource. Raises BadRequest naming the one that is none."""
    if not isinstance(document, dict) or document.get("resourceType") != "Parameters":
        raise BadRequest("A FHIRPath Patch is a Parameters resource.", expression="Parameters")
    rules.check({"id": "patch", **document})
    given = document.get("parameter", [])
    if len(given) > OPERATION_LIMIT:
        raise TooLarge(f"A patch has at most {OPERATION_LIMIT} operations, this one has {len(given)}.")
    return partial(_applied, [_operation(one, f"Parameters.parameter[{i}]") for i, one in enumerate(given)], rules)


def _operation(parameter: Part, place: str) -> Operation:
    if parameter.get("name") != "operation":
        raise BadRequest("Every parameter of a FHIRPath Patch is an operation.", expression=f"{place}.name")
    parts = {one["name"]: one for one in parameter.get("part", ())}
    type_ = parts.get("type", {}).get("valueCode")
    if type_ not in OPERATIONS:
        raise BadRequest(f"type is one of {', '.join(OPERATIONS)}.", expression=place)
    path = parts.get("path", {}).get("valueString", "")
    with_path = Operation(type_, _steps(path, place), parts, place)
    CHECKS[type_](with_path)
    return with_path


def _steps(path: str, place: str) -> Sequence[Step]:
    try:
        return steps(path)
    except FHIRError as error:
        raise type(error)(str(error), expression=place) from None


def _applied(operations: Sequence[Operation], rules: Rules, resource: Resource) -> Resource:
    for one in operations:
        try:
            OPERATIONS[one.type](one, resource, rules.definitions)
        except FHIRError as error:
            raise type(error)(str(error), expression=one.place) from None
    return resource


def _add(operation: Operation, resource: Resource, definitions: Definitions) -> None:
    holder = _one(operation, places(operation.path, resource, definitions))
    element, value = value_of(operation.value, holder, operation.text("name"), definitions)
    inside = column.opened(holder)
    if element.repeats:
        column.insert(inside, value, column.length(inside, value.member))
    elif any(name in inside or f"_{name}" in inside for name in element.json_names):
        raise Unprocessable(f"{operation.text('name')} is there already, and does not repeat.")
    else:
        column.put(inside, value)


def _insert(operation: Operation, resource: Resource, definitions: Definitions) -> None:
    holder, name = _list(operation, resource, definitions)
    element, value = value_of(operation.value, holder, name, definitions)
    inside = column.opened(holder)
    _within(operation.number("index"), column.length(inside, value.member) + 1, "index")
    column.insert(inside, value, operation.number("index"))


def _delete(operation: Operation, resource: Resource, definitions: Definitions) -> None:
    found = places(operation.path, resource, definitions)
    if not found:
        return
    place = _one(operation, found)
    if place.parent is None:
        raise Unprocessable("A patch cannot delete the resource itself.")
    column.remove(place)


def _replace(operation: Operation, resource: Resource, definitions: Definitions) -> None:
    place = _one(operation, places(operation.path, resource, definitions))
    if place.parent is None or place.element is None:
        raise Unprocessable("A patch cannot replace the resource itself.")
    _, value = value_of(operation.value, place.parent, place.element.name, definitions)
    if place.index is None:
        column.put(place.holder, value, instead=place.member)
    else:
        column.replace(place.holder, value, place.index)


def _move(operation: Operation, resource: Resource, definitions: Definitions) -> None:
    holder, name = _list(operation, resource, definitions)
    member, _, _ = members(holder, name, definitions)[0]
    size = column.length(holder.inside, member)
    source, destination = operation.number("source"), operation.number("destination")
    _within(source, size, "source")
    _within(destination, size, "destination")
    column.move(holder.inside, member, source, destination)


def _list(operation: Operation, resource: Resource, definitions: Definitions) -> tuple[Place, str]:
    """The element that holds a list, and the list's name; the list may still be empty."""
    *before, last = operation.path
    if not last.name or last.given is not None or not before:
        raise BadRequest(f"The path of {operation.type} ends in the name of a list.")
    holder = _one(operation, places(before, resource, definitions))
    element: Element = members(holder, last.name, definitions)[0][2]
    if not element.repeats:
        raise Unprocessable(f"{last.name} is no list.")
    return holder, last.name


def _one(operation: Operation, found: Sequence[Place]) -> Place:
    if len(found) != 1:
        raise Unprocessable(f"The path of {operation.type} leads to {len(found) or 'no'} elements, not to one.")
    return found[0]


def _within(number: int, size: int, name: str) -> None:
    if number >= size:
        raise Unprocessable(f"{name} is {number}; it can be at most {size - 1}." if size else "The list is empty.")


OPERATIONS: Mapping[str, Callable[[Operation, Resource, Definitions], None]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _needs(*needed: Callable[[Operation], object]) -> Callable[[Operation], None]:
    def check(operation: Operation) -> None:
        for one in needed:
            one(operation)

    return check


# What each operation must be given, before anything is applied.
CHECKS: Mapping[str, Callable[[Operation], None]] = {
    "add": _needs(lambda one: one.text("name"), lambda one: one.value),
    "insert": _needs(lambda one: one.number("index"), lambda one: one.value),
    "delete": _needs(),
    "replace": _needs(lambda one: one.value),
    "move": _needs(lambda one: one.number("source"), lambda one: one.number("destination")),
}
