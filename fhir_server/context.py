"""What every interaction needs, handed in: definitions, store, clock, ids. Made once by `app` or a command."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from fhir_server.config import Config
from fhir_server.definitions.registry import Definitions
from fhir_server.fhirjson import Resource
from fhir_server.parameters import Parameters
from fhir_server.search.codes import StoredCodes
from fhir_server.search.index import Index
from fhir_server.store.store import Store
from fhir_server.validation.structure import Validator

if TYPE_CHECKING:
    from fhir_server.exchange import Request, Response


@dataclass(frozen=True)
class Context:
    """The surroundings of a request; a test hands in its own clock and ids and can then state whole answers.

    parameters  gives definitions and index as they stand now
    checks    by resource type what a resource must meet beside the standard's rules, lest it break the server
    page_key  signs the tokens of pages; all processes on one database share it
    interactions  the codes of all interactions that are routed, for the CapabilityStatement
    resolve   fills in interaction, type, id and query from a method and a URL relative to the base
    dispatch  runs one request as if it had come alone: bundle entries use both
    """

    config: Config
    definitions: Definitions
    store: Store
    validator: Validator
    index: Index
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    page_key: bytes
    interactions: Sequence[str]
    resolve: "Callable[[str, str, Request], Request]"
    dispatch: "Callable[[Request, Context], Response]"
    parameters: Parameters
    checks: Mapping[str, Callable[[Resource, Definitions], None]]

    @property
    def current(self) -> "Context":
        """The same with the definitions as they stand now; each request and each piece of work asks for it anew."""
        now = self.parameters()
        if now.definitions is self.definitions:
            return self
        return replace(self, definitions=now.definitions, index=now.index)

    def codes(self, may_see: Sequence[str]) -> StoredCodes:
        """Returns what answers which codes a search means, for one who may see what has these keys."""
        return StoredCodes(self.definitions, lambda plan: [row.raw for row in self.store.find(plan).rows], may_see)

    def check(self, resource: Resource) -> None:
        """Raises Unprocessable with an Issue for each fault of a resource that shall be written."""
        self.validator.check(resource)
        if check := self.checks.get(resource["resourceType"]):
            check(resource, self.definitions)
