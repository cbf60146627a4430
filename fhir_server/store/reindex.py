"""Documents whose search values are out of date: found by the hash of the parameters they were made with, and renewed.

What is left to do is what an index shows, so nothing need be remembered: any worker goes on where another one died.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database

from fhir_server.store import envelope
from fhir_server.store.collections import Collections
from fhir_server.store.database import Document, translated
from fhir_server.store.document import Version
from fhir_server.store.drive import INDEXES

READ_MS = 10_000
# Seconds after which the work of a worker that died is free again.
LEASE = 10
# Of what cannot be indexed so many are named.
NAMED = 20
# What is renewed of a document; version, time, content and history stay.
_RENEWED = ("ix", "d", "s", "iv", "ph")


@dataclass(frozen=True)
class Progress:
    """How far a type is: `done` of `of` resources, `rate` a second; `failed` ids could not be indexed."""

    type: str
    done: int
    of: int
    rate: float
    failed: Sequence[str]

    @property
    def seconds(self) -> float | None:
        """The time that is left, None where nothing tells."""
        return max(self.of - self.done, 0) / self.rate if self.rate else None

    def __str__(self) -> str:
        """`43 %, about 2 min left`."""
        share = f"{min(self.done * 100 // self.of, 99) if self.of else 0} %"
        if self.failed:
            return f"{share}, {self.type}/{self.failed[0]} cannot be indexed"
        left = self.seconds
        return share if left is None else f"{share}, about {_period(left)} left"


def _period(seconds: float) -> str:
    if seconds < 90:
        return f"{int(seconds) + 1} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.0f} h"


class Reindex:
    """The work that is left on each type, and who does it. Each method raises Unavailable."""

    def __init__(self, database: Database[Document], collections: Collections) -> None:
        self._collections = collections
        self._work = database["reindex"]

    def types(self) -> list[str]:
        """Returns the types that anything was ever stored of."""
        with translated():
            return self._collections.types()

    @translated()
    def outdated(self, type_: str, hash_: str, limit: int, but: Sequence[str] = ()) -> list[Version]:
        """Returns up to `limit` live versions that were indexed with other parameters, without the ids of `but`."""
        self._collections.make([type_])
        query = {**_other(hash_), "_id": {"$nin": list(but)}} if but else _other(hash_)
        rows = self._collections.live(type_).find(
            query, envelope.SHOWN, limit=limit, hint=_BY_HASH, max_time_ms=READ_MS)
        return [envelope.version(type_, one) for one in rows]

    @translated()
    def count(self, type_: str, hash_: str) -> int:
        """Returns how many there are."""
        self._collections.make([type_])
        return self._collections.live(type_).count_documents(_other(hash_), hint=_BY_HASH)

    @translated()
    def holds(self, type_: str) -> bool:
        """Tells whether there is any resource of a type; needs no index that a later release may have brought."""
        return self._collections.live(type_).find_one({"ph": {"$gt": ""}}, {"_id": 1}) is not None

    @translated()
    def renew(self, type_: str, versions: Sequence[Version]) -> None:
        """Stores the search values of `versions`; what was written meanwhile has newer ones, and keeps them."""
        changes = [UpdateOne({"_id": one.id, "v": one.version}, {"$set": _values(one)}) for one in versions]
        if changes:
            self._collections.live(type_).bulk_write(changes, ordered=False)

    @translated()
    def forget(self, type_: str) -> None:
        """Lets all resources of a type count as out of date; until they are renewed they are found as before."""
        self._collections.live(type_).update_many({"ph": {"$gt": ""}}, {"$set": {"ph": "-"}})

    @translated()
    def lease(self, type_: str, owner: str, hash_: str) -> Progress | None:
        """Takes the work on a type, or keeps it; None while another worker has it.

        How far it was stays known while the parameters are the same.
        """
        free = {"$or": [{"$eq": ["$owner", owner]}, {"$lt": ["$until", "$$NOW"]}]}
        same = {"$eq": ["$hash", hash_]}
        change: Document = {
            "owner": {"$cond": [free, owner, "$owner"]},
            "until": {"$cond": [free, {"$add": ["$$NOW", LEASE * 1000]}, "$until"]},
            "done": {"$cond": [same, "$done", 0]},
            "of": {"$cond": [same, "$of", 0]},
            "rate": {"$cond": [same, "$rate", 0.0]},
            "failed": {"$cond": [same, "$failed", []]},
            "hash": hash_,
        }
        row = self._work.find_one_and_update(
            {"_id": type_}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER)
        return _progress(row) if row and row["owner"] == owner else None

    @translated()
    def report(self, owner: str, progress: Progress) -> bool:
        """Tells how far it is and keeps the lease; False when it was lost."""
        change = {
            "done": progress.done, "of": progress.of, "rate": progress.rate, "failed": list(progress.failed[:NAMED]),
            "until": {"$add": ["$$NOW", LEASE * 1000]}}
        return bool(self._work.update_one({"_id": progress.type, "owner": owner}, [{"$set": change}]).matched_count)

    @translated()
    def release(self, type_: str, owner: str, ended: bool) -> None:
        """Gives the work back; `ended` forgets how far it was."""
        if ended:
            self._work.delete_one({"_id": type_, "owner": owner})
        else:
            self._work.update_one({"_id": type_, "owner": owner}, [{"$set": {"until": "$$NOW"}}])

    @translated()
    def progress(self) -> list[Progress]:
        """Returns how far each type is that work was taken up on."""
        return [_progress(row) for row in self._work.find(sort=[("_id", 1)], max_time_ms=READ_MS)]


_BY_HASH = list(INDEXES["hash"])


def _other(hash_: str) -> Document:
    """Tombstones have the hash "", and are nothing to index."""
    return {"$or": [{"ph": {"$gt": "", "$lt": hash_}}, {"ph": {"$gt": hash_}}]}


def _values(version: Version) -> Mapping[str, object]:
    document = envelope.live(version)
    return {name: document[name] for name in _RENEWED}


def _progress(row: Document) -> Progress:
    return Progress(row["_id"], row["done"], row["of"], row["rate"], tuple(row["failed"]))
