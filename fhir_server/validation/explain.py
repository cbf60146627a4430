"""Says in words what is wrong with a refused resource: one Issue for each fault, with its place as FHIRPath."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import jsonschema_rs
from jsonschema import ValidationError

from fhir_server import fhirjson
from fhir_server.fhirjson import Resource
from fhir_server.outcome import Issue
from fhir_server.validation.keywords import decider, explainer
from fhir_server.validation.schema import DEPTH, Schemas

MOST_ISSUES = 20
MOST_SHOWN = 60
# From here on a look into each item costs more than a schema of its own for the items.
LONG = 100

# The code of the Issue, the name below the place of the error (or ""), the text.
Fault = tuple[str, str, str]
# A ValidationError, whose schema, instance and keyword jsonschema types as maybe unset.
Error = Any

_SIMPLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_KEYWORDS = frozenset({"and", "div", "false", "implies", "mod", "or", "true", "xor"})


class Explainer:
    """Explains refusals by the same schemas that the decision was made with."""

    def __init__(self, schemas: Schemas, accepts: Callable[[Any], bool]) -> None:
        self._schemas = schemas
        self._accepts = accepts
        self._deciders: dict[str, jsonschema_rs.Validator] = {}
        self._validator = explainer({
            "items": self._items,
            "resource": lambda _validator, _argument, value, _schema: self._errors(value),
        })

    def issues(self, resource: Any) -> list[Issue]:
        """Returns an Issue for each fault found, MOST_ISSUES at most. What comes after these is not looked at."""
        found = (
            Issue(text, code, self._place(resource, [*error.absolute_path, *filter(None, [below])]))
            for error in self._errors(resource)
            for code, below, text in FAULTS[error.validator](error)
        )
        return list(islice(_unique(found), MOST_ISSUES))

    def _errors(self, resource: Any) -> Iterator[ValidationError]:
        type_ = self._schemas.type_of(resource)
        if type_:
            return self._validator(self._schemas.schema(type_)).iter_errors(resource)
        return iter([ValidationError("", validator="resource", instance=resource)])

    def _items(self, validator: Any, single: Resource, values: Any, _schema: Any) -> Iterator[ValidationError]:
        """The errors of the items; in a long array those are passed over in Rust that have none."""
        if not isinstance(values, list):
            return
        accepts = self._decider(single) if len(values) > LONG else _none
        for place, value in enumerate(values):
            if not accepts(value):
                yield from validator.descend(value, single, path=place)

    def _decider(self, single: Resource) -> Callable[[Any], bool]:
        name = str(single)
        if name not in self._deciders:
            key = single.get("else", single).get("$ref", "").removeprefix("#/$defs/")
            definitions = self._schemas.schema(key)["$defs"] if key else {}
            self._deciders[name] = decider({**single, "$defs": definitions}, self._accepts)
        return self._deciders[name].is_valid

    def _place(self, resource: Any, path: Sequence[str | int]) -> str | None:
        """The FHIRPath of a JSON path: `name`, 0, `_family` of a Patient is `Patient.name[0].family`."""
        key = expression = self._schemas.type_of(resource)
        value = resource
        for step in path:
            known = self._schemas.properties(key).get(str(step)) if key else None
            key = known.key if known else key
            expression += f"[{step}]" if isinstance(step, int) else "." + _name(known.element.name if known else step)
            value = _below(value, step)
            key = self._schemas.type_of(value) or key
        return expression or None


def _none(_: Any) -> bool:
    return False


def _unique(issues: Iterable[Issue]) -> Iterator[Issue]:
    seen: set[Issue] = set()
    for one in issues:
        if one not in seen:
            seen.add(one)
            yield one


def _below(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (KeyError, IndexError, TypeError):
        return None


def _name(name: str) -> str:
    """An identifier as FHIRPath writes it: https://hl7.org/fhirpath/N1/#identifiers"""
    if _SIMPLE_NAME.fullmatch(name) and name not in _KEYWORDS and len(name) <= MOST_SHOWN:
        return name
    return f"`{shown(name)[1:-1]}`"


def shown(value: Any) -> str:
    """Returns the value as it starts a sentence: JSON of MOST_SHOWN characters at most, or what kind of thing it is."""
    if isinstance(value, dict | list):
        return "An object" if isinstance(value, dict) else "An array"
    if isinstance(value, str) and len(value) > MOST_SHOWN:
        value = value[:MOST_SHOWN] + "…"
    text = fhirjson.encode(value).decode()
    return text if isinstance(value, str) else text[:MOST_SHOWN]


def _of(code: str, text: str) -> Callable[[Error], Iterable[Fault]]:
    """A fault told by a sentence; {value} and {title} (what is expected) come from the error."""
    return lambda error: [(code, "", text.format(value=shown(error.instance), title=error.schema.get("title", "")))]


def _wrong_type(error: Error) -> Iterable[Fault]:
    nested = isinstance(error.instance, dict | list) or error.schema["type"] in ("array", "object")
    return _of("structure" if nested else "value", "{value} is no {title}.")(error)


def _unknown(error: Error) -> Iterable[Fault]:
    title, known = error.schema["title"], error.schema["properties"]
    return ((
        "structure", name, f"{title} has no element {shown(name)}.") for name in error.instance if name not in known)


def _missing(error: Error) -> Iterable[Fault]:
    names = [name for name in error.validator_value if name not in error.instance]
    return (("required", name, f"{name} is missing.") for name in names)


def _none_of(error: Error) -> Iterable[Fault]:
    name = error.schema["title"]
    return [("required", name.removesuffix("[x]"), f"{name} is missing.")]


def _wrong_resource(error: Error) -> Iterable[Fault]:
    if not isinstance(error.instance, dict):
        return [("structure", "", f"{shown(error.instance)} is no resource.")]
    if "resourceType" not in error.instance:
        return [("required", "", "resourceType is missing.")]
    return [("structure", "", f"{shown(error.instance['resourceType'])} is no resource type of FHIR R4.")]


def _second_form(error: Error) -> Iterable[Fault]:
    return [("structure", "", f"{error.path[-1]} cannot stand beside another form of the same element.")]


FAULTS: dict[object, Callable[[Error], Iterable[Fault]]] = {
    "additionalProperties": _unknown,
    "aligned": _of("structure", "Values and their extensions are not aligned: each place needs one of the two."),
    "anyOf": _none_of,
    "enum": _of("code-invalid", "{value} is no {title}."),
    "literal": _of("value", "{value} is no {title}."),
    "maxLength": _of("too-long", "{value} is longer than the 1,048,576 characters of a {title}."),
    "maximum": _of("value", "{value} is no {title}."),
    "minItems": _of("structure", "An array cannot be empty."),
    "minLength": _of("value", "{value} is no {title}."),
    "minProperties": _of("structure", "An object cannot be empty."),
    "minimum": _of("value", "{value} is no {title}."),
    "nests": _of("structure", f"The content is more than {DEPTH} levels deep."),
    "not": _second_form,
    "pattern": _of("value", "{value} is no {title}."),
    "required": _missing,
    "resource": _wrong_resource,
    "type": _wrong_type,
}
