"""JSON Patch, by the library: https://www.rfc-editor.org/rfc/rfc6902"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from jsonpatch import InvalidJsonPatch, JsonPatch, JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointerException

from fhir_server.fhirjson import encode
from fhir_server.outcome import BadRequest, TooLarge, Unprocessable
from fhir_server.patch.rules import OPERATION_LIMIT, Rules

# Each may double the resource, and is measured.
COPY_LIMIT = 50

Operation = Mapping[str, Any]


def read(document: Any, rules: Rules) -> Callable[[Any], Any]:
    """Returns what applies the operations to a resource. Raises BadRequest naming the one that is none."""
    if not isinstance(document, list):
        raise BadRequest("A JSON Patch is a list of operations.")
    if len(document) > OPERATION_LIMIT:
        raise TooLarge(f"A patch has at most {OPERATION_LIMIT} operations, this one has {len(document)}.")
    read_ = [(_name(i, one), _is_copy(one), _operation(i, one)) for i, one in enumerate(document)]
    if sum(copies for _, copies, _ in read_) > COPY_LIMIT:
        raise TooLarge(f"A patch has at most {COPY_LIMIT} operations that copy.")
    return partial(_applied, read_, rules.limit)


def _operation(number: int, operation: Any) -> JsonPatch:
    try:
        return JsonPatch([operation])
    except (JsonPatchException, JsonPointerException, TypeError, AttributeError):
        raise BadRequest(f"{_name(number, operation)} is no operation of JSON Patch.") from None


def _applied(operations: Sequence[tuple[str, bool, JsonPatch]], limit: int, resource: Any) -> Any:
    for name, copies, operation in operations:
        resource = _one(name, operation, resource)
        if copies and len(encode(resource)) > limit:
            raise TooLarge(f"{name} makes the resource larger than {limit} bytes.")
    return resource


def _one(name: str, operation: JsonPatch, resource: Any) -> Any:
    try:
        return operation.apply(resource, in_place=True)
    except InvalidJsonPatch:
        raise BadRequest(f"{name} is no operation of JSON Patch.") from None
    except JsonPatchTestFailed:
        raise Unprocessable(f"{name} fails: the resource does not have that value.") from None
    except (JsonPatchException, JsonPointerException):
        raise Unprocessable(f"{name} does not fit the resource: there is no such place.") from None


def _is_copy(operation: Any) -> bool:
    return isinstance(operation, dict) and operation.get("op") == "copy"


def _name(number: int, operation: Any) -> str:
    """`Operation 2 (replace /name/0)`, counted from 1."""
    said = [str(operation.get(part, ""))[:100] for part in ("op", "path")] if isinstance(operation, dict) else []
    return f"Operation {number + 1} ({' '.join(said)})" if said else f"Operation {number + 1}"
