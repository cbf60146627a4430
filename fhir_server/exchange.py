"""A request and its response in FHIR's terms, free of HTTP: `rest` makes them, bundles make them too."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fhir_server.access.caller import Caller
from fhir_server.fhirjson import Resource

ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?\Z')


@dataclass(frozen=True)
class Request:
    """One interaction asked for.

    interaction  FHIR's code: read, vread, create, update, delete, history-instance, search-type, …
    base         where the server says it stands: `http://127.0.0.1:8080/fhir`
    query        the search parameters in order, decoded: `[("name:exact", "山田"), …]`
    if_match     the version of `If-Match: W/"3"`
    prefer       `{"return": "minimal", "handling": "lenient"}`
    place        where it stands in a Bundle: `Bundle.entry[3]`, or ""
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
    if_none_match: str = ""
    if_none_exist: str = ""
    prefer: Mapping[str, str] = field(default_factory=dict)
    place: str = ""


@dataclass(frozen=True)
class Response:
    """What an interaction answers. `raw` is JSON, ready to be sent: stored bytes are never parsed to be read.

    type, id, version, updated  of the resource it is about, for Location, ETag and Last-Modified
    """

    status: int
    raw: bytes = b""
    type: str = ""
    id: str = ""
    version: int | None = None
    updated: datetime | None = None

    @property
    def location(self) -> str:
        """`Patient/p1/_history/2`, or "" when the answer is about no single version."""
        return f"{self.type}/{self.id}/_history/{self.version}" if self.version else ""


def version_in(etag: str) -> int | None:
    """Returns the version an ETag such as `W/"3"` names, None where it names none."""
    found = ETAG.match(etag.strip())
    return int(found[1]) if found else None
