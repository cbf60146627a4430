"""A request and its response in FHIR's terms, free of HTTP: `rest` makes them, bundles make them too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fhir_server.access.caller import Caller
from fhir_server.fhirjson import Resource


@dataclass(frozen=True)
class Request:
    """One interaction asked for.

    interaction  FHIR's code: read, vread, create, update, delete, history-instance, search-type, …
    query        the search parameters in order, decoded: `[("name:exact", "山田"), …]`
    base         where the server says it stands: `http://127.0.0.1:8080/fhir`
    if_match     the version of `If-Match: W/"3"`
    prefer       `{"return": "minimal", "handling": "lenient"}`
    """

    interaction: str
    caller: Caller
    base: str
    type: str = ""
    id: str = ""
    version: str = ""
    query: Sequence[tuple[str, str]] = ()
    resource: Resource | None = None
    if_match: int | None = None
    prefer: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """What an interaction answers. `raw` is JSON, ready to be sent: stored bytes are never parsed to be read."""

    status: int
    raw: bytes = b""
    type: str = ""
    id: str = ""
    version: int | None = None
    updated: datetime | None = None
