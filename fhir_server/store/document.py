"""What is stored of one version of a resource: an envelope around the exact bytes that clients get."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class SearchValues:
    """What search finds a resource by; made by `search.index`, stored beside the resource in one write.

    keys      order-preserving keys of the inverted index, such as `subject=Patient/p1`; always with `_`
    date      the clinical date that newest-first pages go by; the last update where a type has none
    sortable  one scalar per sortable search parameter
    recheck   intervals and composites, rechecked by MongoDB where keys alone would find too much
    hash      of the set of search parameters it was made with; a change of the set asks for a reindex
    """

    keys: Sequence[str]
    date: datetime
    sortable: Mapping[str, str] = field(default_factory=dict)
    recheck: Sequence[Mapping[str, Any]] = ()
    hash: str = ""


@dataclass(frozen=True)
class Version:
    """One version of one resource. A tombstone (`deleted`) has empty `raw`.

    raw      the JSON sent to clients, `meta.versionId` and `meta.lastUpdated` included
    content  hash of the content without these two: equal content is no new version
    values   needed to store it; None on a tombstone, and on what is read back
    source   institution number of the authenticated sender ("" for the server itself), never from content
    labels   `system|code` of `meta.security`
    """

    type: str
    id: str
    version: int
    updated: datetime
    raw: bytes
    content: bytes
    values: SearchValues | None
    source: str = ""
    labels: Sequence[str] = ()
    deleted: bool = False


@dataclass(frozen=True)
class Write:
    """`next` takes the place of `previous`, which must still be the live version (None: the id was never used)."""

    previous: Version | None
    next: Version
