"""A request and its response in FHIR's terms, free of HTTP: `rest` makes them, bundles make them too."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from fhir_server.access.caller import Caller
from fhir_server.outcome import BadRequest

ETAG = re.compile(r'(?:W/)?"?(\d{1,9})"?\Z')
FIELDS_LIMIT = 500


@dataclass(frozen=True)
class Request:
    """One interaction asked for.

    interaction  FHIR's code: read, vread, create, update, delete, history-instance, search-type, …
    base         where the server says it stands: `http://127.0.0.1:8080/fhir`
    member       the type searched for in the compartment of `type` and `id`, `*` for any
    query        the search parameters in order, decoded: `[("name:exact", "山田"), …]`
    shown        those that say how to show what is found: _format, _pretty, _summary, _elements; links carry them on
    resource     what was sent, decoded: a resource, or a patch document, which may be a list
    patch        what kind of patch that is: json-patch, merge-patch, fhirpath; "" for none
    if_match     the version of `If-Match: W/"3"`
    if_none_match  `*`, or ETags as they were sent: `W/"2", W/"3"`
    prefer       `{"return": "minimal", "handling": "lenient"}`
    place        where it stands in a Bundle: `Bundle.entry[3]`, or ""
    head         a HEAD in a Bundle: the answer goes without its content
    """

    interaction: str
    caller: Caller
    base: str
    type: str = ""
    id: str = ""
    version: str = ""
    member: str = ""
    query: Sequence[tuple[str, str]] = ()
    shown: Sequence[tuple[str, str]] = ()
    resource: Any = None
    patch: str = ""
    if_match: int | None = None
    if_none_match: str = ""
    if_modified_since: datetime | None = None
    if_none_exist: str = ""
    prefer: Mapping[str, str] = field(default_factory=dict)
    place: str = ""
    head: bool = False


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


def pairs(query: str) -> list[tuple[str, str]]:
    """Returns the decoded parameters of a query string or form. Raises BadRequest for too many, or for broken UTF-8."""
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_LIMIT)
    except ValueError as error:
        raise BadRequest(f"The query cannot be read: more than {FIELDS_LIMIT} parameters, or not UTF-8.") from error
