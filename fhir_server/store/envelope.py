"""A Version as MongoDB keeps it: an envelope around the bytes, live and in history, and back again.

Live: `_id` logical id, `v` version, `ts` last update, `raw` bytes for clients, `h` content hash, `ph` hash of the
search parameters, `ix` index keys, `d` clinical date, `s` sortable values, `iv` what is rechecked, `src` disclosing
organisation, `lab` security labels, `ac` access keys (also among `ix` of what is live), `del` true on a tombstone.
History keeps what may be read again, under `_id: {i: id, v: version}`.
"""

from collections.abc import Sequence
from datetime import UTC

from bson import encode

from fhir_server.outcome import TooLarge
from fhir_server.store.access import access_keys
from fhir_server.store.database import Document
from fhir_server.store.document import SearchValues, Version

# What is read back: everything but the search values, which only the database uses.
SHOWN = {"v": 1, "ts": 1, "raw": 1, "h": 1, "src": 1, "lab": 1, "del": 1}
# MongoDB's limit of one document, in bytes.
LIMIT = 16 * 1024 * 1024
# Below half of it, by a count that is quick and never too low, nothing is measured.
SMALL = LIMIT // 2
# Of one thing to recheck: its name and a few bounds, each a key at most (see search.term.KEY_LIMIT).
RECHECK = 20_000


def live(version: Version) -> Document:
    """Returns the document of the live collection. Raises TooLarge for what MongoDB does not take."""
    values = version.values or SearchValues((), version.updated)
    keys = [*values.keys, *access_keys(version)] if version.values else []
    document = {
        "_id": version.id,
        **_kept(version),
        "ph": values.hash,
        "ix": keys,
        "d": values.date,
        "s": {code: f"{text}\0{version.id}" for code, text in values.sortable.items()},
        "iv": list(values.recheck),
    }
    # It tells by half a dozen errors, which differ with the kind of write.
    if _bound(version, values, keys) > SMALL and len(encode(document)) > LIMIT:
        raise TooLarge("The resource and what search finds it by are larger than the database can hold.")
    return document


def _bound(version: Version, values: SearchValues, keys: Sequence[str]) -> int:
    """At least the bytes of the document, its fields of fixed size left aside: a character has four at most."""
    texts = sum(map(len, keys)) + sum(map(len, values.sortable.values()))
    return len(version.raw) + 4 * texts + 100 * (len(keys) + len(values.sortable)) + RECHECK * len(values.recheck)


def past(version: Version) -> Document:
    """Returns the document of the history collection."""
    return {"_id": past_id(version.id, version.version), **_kept(version)}


def past_id(id_: str, version: int) -> Document:
    """Returns the `_id` of a version in history; of one resource they lie side by side, in order."""
    return {"i": id_, "v": version}


def version(type_: str, document: Document) -> Version:
    """Returns the Version in a live or a history document, without its search values."""
    id_ = document["_id"]
    return Version(
        type=type_,
        id=id_["i"] if isinstance(id_, dict) else id_,
        version=document["v"],
        updated=document["ts"].replace(tzinfo=UTC),
        raw=document["raw"],
        content=document["h"],
        values=None,
        source=document["src"],
        labels=tuple(document["lab"]),
        deleted=document.get("del", False),
    )


def _kept(version: Version) -> Document:
    kept = {
        "v": version.version,
        "ts": version.updated,
        "raw": version.raw,
        "h": version.content,
        "src": version.source,
        "lab": list(version.labels),
        "ac": access_keys(version),
    }
    return {**kept, "del": True} if version.deleted else kept
