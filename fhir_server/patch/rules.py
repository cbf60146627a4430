"""What a patch is read by."""

from collections.abc import Callable
from dataclasses import dataclass

from fhir_server.definitions.registry import Definitions
from fhir_server.fhirjson import Resource

# Of one patch, whichever way it is said.
OPERATION_LIMIT = 1000


@dataclass(frozen=True)
class Rules:
    """The definitions, `check` that raises Unprocessable for an invalid resource, and the bytes a resource may have."""

    definitions: Definitions
    check: Callable[[Resource], None]
    limit: int
