"""The keywords our schemas add to JSON Schema, for both validators: jsonschema-rs decides, jsonschema explains."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator, ValidationError, validators

from fhir_server.fhirjson import Resource
from fhir_server.validation.primitives import LITERALS
from fhir_server.validation.schema import DEPTH

Accepts = Callable[[Any, Any], bool]
# (validator, what the keyword says, the value, the schema around the keyword) → the errors of the value
Errors = Callable[[Any, Any, Any, Any], Iterator[ValidationError]]


def literal(type_: str, value: Any) -> bool:
    """Says whether the value is one of the primitive type."""
    return LITERALS[type_](value)


def aligned(name: str, holder: Any) -> bool:
    """Says whether `name` and `_name` are of one length with a value or an object at each place.

    Anything but two arrays is a fault that other keywords find.
    """
    if not isinstance(holder, dict):
        return True
    companions = holder["_" + name]
    values = holder.get(name, companions)
    if not (isinstance(values, list) and isinstance(companions, list)):
        return True
    return len(values) == len(companions) and (None, None) not in zip(values, companions)


def nests(_: int, value: Any) -> bool:
    """Says whether the value is at most DEPTH objects and arrays deep."""
    return _SHALLOW.is_valid(value)


def _shallow(depth: int) -> Resource:
    levels: Resource = {"0": {"not": {"type": ["object", "array"]}}}
    for level in range(depth):
        below = {"$ref": f"#/$defs/{level}"}
        levels[f"{level + 1}"] = {"additionalProperties": below, "items": below}
    return {"$ref": f"#/$defs/{depth}", "$defs": levels}


_SHALLOW = jsonschema_rs.validator_for(_shallow(DEPTH))

KEYWORDS: dict[str, Accepts] = {"literal": literal, "aligned": aligned, "nests": nests}


def decider(schema: Resource, accepts_resource: Callable[[Any], bool]) -> jsonschema_rs.Validator:
    """Returns the compiled schema. `accepts_resource` is asked about each resource inside."""
    keywords = {**KEYWORDS, "resource": lambda _, value: accepts_resource(value)}
    return jsonschema_rs.validator_for(
        schema,
        pattern_options=jsonschema_rs.RegexOptions(),
        keywords={name: _decided(accepts) for name, accepts in keywords.items()},
    )


def _decided(accepts: Accepts) -> "type[jsonschema_rs.KeywordValidator]":
    class Keyword:
        """One use of the keyword in a schema, as jsonschema-rs wants it: to refuse is to raise ValueError."""

        def __init__(self, _parent: Any, argument: Any, _path: Any) -> None:
            self._argument = argument

        def validate(self, value: Any) -> None:
            if not accepts(self._argument, value):
                raise ValueError

    return Keyword


def explainer(more: dict[str, Errors]) -> type[Draft202012Validator]:
    """Returns the validator class that finds every fault; `more` are keywords that need to know the definitions."""
    meanings = {**{name: _explained(accepts) for name, accepts in KEYWORDS.items()}, "pattern": _pattern, **more}
    # jsonschema gives this one function no types.
    extended: type[Draft202012Validator] = validators.extend(  # type: ignore[no-untyped-call]
        Draft202012Validator, meanings)
    return extended


def _explained(accepts: Accepts) -> Errors:
    def errors(_validator: Any, argument: Any, value: Any, _schema: Any) -> Iterator[ValidationError]:
        if not accepts(argument, value):
            yield ValidationError("")
    return errors


def _pattern(_validator: Any, pattern: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    # To Python `$` is also the place before a last line break; to Rust and to FHIR it is the end alone.
    if isinstance(value, str) and not re.fullmatch(pattern, value):
        yield ValidationError("")
