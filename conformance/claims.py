"""What a CapabilityStatement claims. https://hl7.org/fhir/R4/capabilitystatement.html

Patient.read · Patient.conditionalCreate · Patient?name · Patient$everything · system.transaction · format.xml ·
patch.json-patch · include.Observation · cors
"""

from collections.abc import Mapping
from typing import Any

Statement = Mapping[str, Any]

_INCLUDES = {"include": "searchInclude", "revinclude": "searchRevInclude"}


def claimed(claim: str, statement: Statement) -> bool:
    """Tells whether `statement` claims what `claim` names."""
    rest = _server(statement)
    head, _, tail = claim.partition(".")
    if claim == "cors":
        return bool(rest.get("security", {}).get("cors"))
    if head in ("format", "patch"):
        return any(tail in one for one in statement.get("format" if head == "format" else "patchFormat", ()))
    if head in _INCLUDES:
        return bool(_resource(rest, tail).get(_INCLUDES[head]))
    if "?" in claim:
        return _named(claim, "?", "searchParam", rest)
    if "$" in claim:
        return _named(claim, "$", "operation", rest)
    return _does(rest if head == "system" else _resource(rest, head), tail)


def _server(statement: Statement) -> Mapping[str, Any]:
    return next((one for one in statement.get("rest", ()) if one.get("mode") == "server"), {})


def _resource(rest: Mapping[str, Any], type_: str) -> Mapping[str, Any]:
    return next((one for one in rest.get("resource", ()) if one.get("type") == type_), {})


def _does(where: Mapping[str, Any], code: str) -> bool:
    """An interaction, or a flag such as conditionalDelete."""
    return any(one.get("code") == code for one in where.get("interaction", ())) or (
        where.get(code) not in (None, False, "not-supported"))


def _named(claim: str, sign: str, member: str, rest: Mapping[str, Any]) -> bool:
    """A search parameter or an operation, of the type or of all."""
    type_, _, name = claim.partition(sign)
    everywhere = [*_resource(rest, type_).get(member, ()), *rest.get(member, ())]
    return any(one.get("name", "").lstrip("$") == name for one in everywhere)
