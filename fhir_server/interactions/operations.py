"""The operations that run, in one table; what each is called with is defined by its OperationDefinition.

https://hl7.org/fhir/R4/operations.html
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fhir_server.context import Context
from fhir_server.definitions import registry
from fhir_server.definitions.registry import Definitions
from fhir_server.exchange import Request, Response
from fhir_server.interactions.everything import everything


@dataclass(frozen=True)
class Operation:
    """An operation on one resource, of each of `types`; `Patient-everything` defines `everything` for Patient."""

    types: Sequence[str]
    run: Callable[[Request, Context], Response]


OPERATIONS: Mapping[str, Operation] = {
    "everything": Operation(("Encounter", "Patient"), everything),
}


def operations(type_: str, definitions: Definitions) -> Iterator[registry.Operation]:
    """Yields the definitions of what runs on resources of `type_`."""
    ids = [f"{type_}-{code}" for code, one in OPERATIONS.items() if type_ in one.types]
    yield from (one for one in definitions.operations if one.id in ids)
