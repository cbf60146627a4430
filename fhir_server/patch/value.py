"""The value an operation of a FHIRPath Patch brings, as the JSON of the element it becomes."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from fhir_server.definitions.registry import Definitions, Element
from fhir_server.outcome import Unprocessable
from fhir_server.patch import column
from fhir_server.patch.place import Place, members


@dataclass(frozen=True)
class Value:
    """JSON for `member`; `extra`: what stands beside a primitive, its id and extensions."""

    member: str
    json: Any
    extra: Any = None


def value_of(part: Mapping[str, Any], holder: Place, name: str, definitions: Definitions) -> tuple[Element, Value]:
    """Returns the element `name` of `holder`, and its value from `part`: of a type, a resource, or made of parts.

    Raises Unprocessable where the element cannot have that type.
    """
    known = members(holder, name, definitions)
    element = known[0][2]
    if "part" in part:
        return element, _made(part, known, name, definitions)
    if "resource" in part:
        return element, Value(_of_type("Resource", known, name), deepcopy(part["resource"]))
    given = next((key.removeprefix("_") for key in part if key.removeprefix("_").startswith("value")), "")
    if not given:
        raise Unprocessable(f"The value for {name} is empty.")
    member = _of_type(given.removeprefix("value"), known, name)
    return element, Value(member, deepcopy(part.get(given)), deepcopy(part.get("_" + given)))


def _of_type(type_: str, known: list[tuple[str, str, Element]], name: str) -> str:
    """The name in JSON of the element where it has that type, as `valueCode` spells it: `Code`."""
    for member, kind, _ in known:
        if kind[:1].upper() + kind[1:] == type_:
            return member
    raise Unprocessable(f"{name} has the type {' or '.join(kind for _, kind, _ in known)}, not {type_[:40]}.")


def _made(
    part: Mapping[str, Any], known: list[tuple[str, str, Element]], name: str, definitions: Definitions
) -> Value:
    if len(known) > 1:
        raise Unprocessable(f"{name} may have several types; give its value as one of them.")
    member, type_, _ = known[0]
    made: dict[str, Any] = {}
    for one in part["part"]:
        element, value = value_of(one, Place({"": made}, "", type_), one["name"], definitions)
        if element.repeats:
            column.insert(made, value, column.length(made, value.member))
        else:
            column.put(made, value)
    return Value(member, made)
