"""What every interaction needs, handed in: definitions, store, clock, ids. Made once by `app` or a command."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fhir_server.config import Config
from fhir_server.definitions.registry import Definitions
from fhir_server.search.index import Index
from fhir_server.store.store import Store
from fhir_server.validation.structure import Validator

if TYPE_CHECKING:
    from fhir_server.exchange import Request, Response


@dataclass(frozen=True)
class Context:
    """The surroundings of a request; a test hands in its own clock and ids and can then state whole answers.

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
