"""What an operation is asked with, in the URL or as Parameters. https://hl7.org/fhir/R4/operations.html#request"""

from collections.abc import Iterator
from typing import Any

from fhir_server.exchange import Request
from fhir_server.outcome import BadRequest

Pair = tuple[str, str]


def parameters(request: Request) -> list[Pair]:
    """Returns the parameters of an operation that are single values, those of the URL first, as text.

    Raises BadRequest that names what of the Parameters is none.
    """
    return [*request.query, *(_posted(request.resource) if request.resource is not None else ())]


def _posted(body: Any) -> Iterator[Pair]:
    if not isinstance(body, dict) or body.get("resourceType") != "Parameters":
        raise BadRequest("What is posted to an operation is a Parameters resource.", expression="Parameters")
    given = body.get("parameter", [])
    if not isinstance(given, list):
        raise BadRequest("Parameters.parameter is no list.", expression="Parameters.parameter")
    for i, one in enumerate(given):
        yield _pair(one, f"Parameters.parameter[{i}]")


def _pair(one: Any, place: str) -> Pair:
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        raise BadRequest("A parameter has a name.", expression=f"{place}.name")
    values = [value for name, value in one.items() if name.startswith("value")]
    if len(values) != 1 or not isinstance(values[0], (str, int)):
        raise BadRequest(f"{one['name'][:60]} has no single plain value.", expression=f"{place}.value")
    return one["name"], str(values[0])
