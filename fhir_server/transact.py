"""The one door for writes: conditions → validation → search values → store."""

from collections.abc import Sequence
from dataclasses import dataclass

from fhir_server.access.caller import Caller
from fhir_server.context import Context
from fhir_server.fhirjson import Resource
from fhir_server.store.document import Version


@dataclass(frozen=True)
class Create:
    """A new resource under an id the server gives; `id` is set where a bundle needs it beforehand."""

    resource: Resource
    id: str = ""


@dataclass(frozen=True)
class Update:
    """The resource under its own id, created where there is none (update as create).

    if_match  the version it must have now; `absent`: written only where nothing live is stored (If-None-Match: *)
    """

    resource: Resource
    if_match: int | None = None
    absent: bool = False


@dataclass(frozen=True)
class Delete:
    """Deletes what is live; nothing there is no error."""

    type: str
    id: str
    if_match: int | None = None


Change = Create | Update | Delete


@dataclass(frozen=True)
class Done:
    """What became of a change. `action` is created, updated, unchanged, deleted or absent (nothing to delete)."""

    action: str
    version: Version | None


def transact(changes: Sequence[Change], context: Context, caller: Caller) -> list[Done]:
    """Makes all changes or none, in one durable step; returns what became of each, in order.

    Raises Unprocessable (validation, with `Bundle.entry[i]`-free expressions), PreconditionFailed, Conflict, TooLarge.
    Content equal to what is stored makes no new version.
    """
    raise NotImplementedError
