"""A durable queue over a collection: leased partitions, order by key, retry, quarantine.

A row that waits has `state: received`, its partition `p`, its `order` key and its arrival number `seq`; one that waits
for another attempt has `due` as well. Rows of one order key are handled in order of arrival. What is handled is marked
only after its effect is durable, so after a crash it may be handled again: effects must bear that.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from traceback import extract_tb
from typing import Any
from zlib import crc32

from pymongo import ASCENDING, ReturnDocument, WriteConcern
from pymongo.collection import Collection
from pymongo.database import Database

from fhir_server.outcome import Conflict, Unavailable
from fhir_server.store.database import Document, translated

log = logging.getLogger(__name__)

PARTITIONS = 64
RECEIVED, DONE, PARKED, HELD = "received", "done", "parked", "held"
ATTEMPTS = 8
# Seconds: waiting for the next attempt grows from the first to the second; idle until the next look.
FIRST_PAUSE, LAST_PAUSE = 1, 60
IDLE = 0.05
# Given to a handler at once, and looked at for that.
CHUNK, LOOK = 20, 200

_WAITING = {"state": RECEIVED}
_ORDER = [("state", ASCENDING), ("p", ASCENDING), ("seq", ASCENDING)]
_DUE = {"due": {"$exists": True}}
_LAST_ERROR = "It failed {attempts} times, last with {error}."
_ENDED = f"The worker ended {ATTEMPTS} times while it handled this."
# Of the database and of other writers, whatever the row is.
_PASSING = (Unavailable, Conflict)


class Park(Exception):
    """Raised by a handler: the row waits for a person. `place` is a segment and field such as `OBX[3]-5`, or ""."""

    state = PARKED

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason, self.place = reason, place

    @property
    def change(self) -> Document:
        """What becomes of the row."""
        return {"state": self.state, "reason": self.reason, "place": self.place}


class Hold(Park):
    """Raised by a handler: the row waits until its sender is admitted, under the number `sender`."""

    state = HELD

    def __init__(self, reason: str, place: str, sender: str) -> None:
        super().__init__(reason, place)
        self.sender = sender

    @property
    def change(self) -> Document:
        return {**super().change, "sender": self.sender}


# Gets rows of one partition in order of arrival; when it returns, all have taken effect. If it raises for several, it
# gets them again one by one; then Park parks that row, Hold holds it, and anything else asks for another attempt later.
Handle = Callable[[Sequence[Document]], None]


def partition(order: str) -> int:
    """Returns the partition of an order key: the same in every process, now and later."""
    return crc32(order.encode()) % PARTITIONS


class _Lost(Exception):
    """The lease of the partition is another worker's by now."""


@dataclass(frozen=True)
class _Turn:
    """A worker's turn at a partition that it has leased; `blocked` are the order keys that wait for another attempt."""

    partition: int
    owner: str
    handle: Handle
    stop: Event
    blocked: set[str] = field(default_factory=set)

    def open(self, rows: Sequence[Document]) -> list[Document]:
        return [row for row in rows if row["order"] not in self.blocked]


@dataclass(frozen=True)
class Queue:
    """The waiting rows of the collection `name`; leases are kept beside it.

    lease  seconds after which the partitions of a worker that died are free again
    """

    database: Database[Document]
    name: str
    lease: float = 10.0

    @property
    def rows(self) -> Collection[Document]:
        return self.database[self.name]

    @property
    def _leases(self) -> Collection[Document]:
        return self.database[f"{self.name}_leases"]

    @property
    def _marks(self) -> Collection[Document]:
        # A mark that a failing machine loses only means that a row is handled again.
        return self.rows.with_options(write_concern=WriteConcern(w=1))

    def prepare(self) -> None:
        # With the state in front, the partitions that wait are read off the index alone.
        self.rows.create_index(_ORDER, partialFilterExpression=_WAITING)
        self.rows.create_index([("p", ASCENDING), ("due", ASCENDING)], partialFilterExpression=_DUE)

    def work(self, owner: str, handle: Handle, stop: Event) -> None:
        """Handles rows until `stop` is set; any number of workers may do so. `owner` names this one among them."""
        while not stop.is_set():
            try:
                handled = self.round(owner, handle, stop)
            except Unavailable:
                log.warning("%s: the database does not answer; looking again", self.name)
                stop.wait(1.0)
                continue
            if not handled:
                stop.wait(IDLE)

    @translated()
    def round(self, owner: str, handle: Handle, stop: Event) -> int:
        """Goes once through the partitions that have something to do; returns how many rows it took up."""
        if not self.rows.find_one(_WAITING, {"_id": 1}):
            return 0
        partitions = self.rows.distinct("p", _WAITING)
        return sum(self._drain(_Turn(one, owner, handle, stop)) for one in partitions if not stop.is_set())

    def replay(self, match: Document) -> int:
        """Lets rows wait for a handler again, at their old place in the order; returns how many."""
        change = {"$set": {"state": RECEIVED, "attempts": 0, "reason": "", "place": ""}, "$unset": {"due": ""}}
        return self.rows.update_many(match, change).modified_count

    def _drain(self, turn: _Turn) -> int:
        """Handles what is ready in one partition, if it can be leased; up to LOOK rows, then it is others' turn.

        Where a worker died over the partition, rows are handled one by one: one of them may have ended it.
        """
        if not self._ready(turn.partition, 1) or not (lease := self._lease(turn)):
            return 0
        rows = self._ready(turn.partition, LOOK)
        try:
            if lease["taken"]:
                self._singly(rows, turn)
            else:
                self._in_chunks(rows, turn)
        except _Lost:
            log.warning("%s: the lease of partition %d was lost", self.name, turn.partition)
        finally:
            self._release(turn)
        return len(rows)

    def _in_chunks(self, rows: Sequence[Document], turn: _Turn) -> None:
        for start in range(0, len(rows), CHUNK):
            if turn.stop.is_set():
                return
            if start:
                self._renew(turn)
            self._together(turn.open(rows[start:start + CHUNK]), turn)

    def _ready(self, number: int, limit: int) -> list[Document]:
        """The next rows of a partition, without those behind one that waits for another attempt."""
        later = self.rows.find({"p": number, **_DUE, "$expr": {"$gt": ["$due", "$$NOW"]}}, {"order": 1})
        ready = {**_WAITING, "p": number, "order": {"$nin": [row["order"] for row in later]}}
        return list(self.rows.find(ready, sort=[("seq", 1)], limit=limit, hint=_ORDER))

    def _together(self, rows: Sequence[Document], turn: _Turn) -> None:
        """Handles rows at once; where that fails, one by one, each failing one holding back its order key."""
        if not rows:
            return
        try:
            turn.handle(rows)
        except Exception as error:
            if isinstance(error, Unavailable):
                self.database.command("ping")  # While MongoDB is away no row has failed: this ends the round.
            if len(rows) > 1:
                return self._singly(rows, turn)
            return self._failed(rows[0], error, turn)
        self._done(row["_id"] for row in rows)

    def _singly(self, rows: Sequence[Document], turn: _Turn) -> None:
        for row in rows:
            if turn.stop.is_set():
                return
            self._renew(turn)
            if turn.open([row]) and self._attempted(row):
                self._together([row], turn)

    def _attempted(self, row: Document) -> bool:
        """Counts the attempt before it is made, lest a row that ends the worker come back for ever."""
        attempts = row.get("attempts", 0)
        if attempts >= ATTEMPTS:
            self._park(row["_id"], Park(_ENDED), attempts)
            return False
        self._marks.update_one({"_id": row["_id"], **_WAITING}, {"$set": {"attempts": attempts + 1}})
        return True

    def _done(self, ids: Iterable[Any]) -> None:
        self._marks.update_many(
            {"_id": {"$in": list(ids)}, **_WAITING}, {"$set": {"state": DONE}, "$unset": {"due": ""}})

    def _failed(self, row: Document, error: Exception, turn: _Turn) -> None:
        attempts = row.get("attempts", 0) + (not isinstance(error, _PASSING))
        if isinstance(error, Park):
            return self._park(row["_id"], error, attempts)
        log.warning("%s %s: attempt %d failed: %s", self.name, row["_id"], attempts, _named(error))
        if attempts >= ATTEMPTS:
            return self._park(row["_id"], Park(_LAST_ERROR.format(attempts=attempts, error=_named(error))), attempts)
        turn.blocked.add(row["order"])
        self._later(row["_id"], attempts)

    def _park(self, id_: Any, error: Park, attempts: int) -> None:
        change = {"$set": {**error.change, "attempts": attempts}, "$unset": {"due": ""}}
        self.rows.update_one({"_id": id_, **_WAITING}, change)

    def _later(self, id_: Any, attempts: int) -> None:
        pause = min(FIRST_PAUSE * 2 ** max(attempts - 1, 0), LAST_PAUSE) * 1000
        # The clock of the database, which all workers share.
        change = [{"$set": {"attempts": attempts, "due": {"$add": ["$$NOW", pause]}}}]
        self.rows.update_one({"_id": id_, **_WAITING}, change)

    def _lease(self, turn: _Turn) -> Document | None:
        """Leases a partition, or renews the lease; None while another worker has it.

        `taken` tells that the one before never gave it back.
        """
        free = {"$or": [{"$eq": ["$owner", turn.owner]}, {"$lt": ["$until", "$$NOW"]}]}
        until = {"$add": ["$$NOW", int(self.lease * 1000)]}
        change = {
            "owner": {"$cond": [free, turn.owner, "$owner"]},
            "until": {"$cond": [free, until, "$until"]},
            "taken": {"$ne": [{"$ifNull": ["$owner", turn.owner]}, turn.owner]},
        }
        lease = self._leases.find_one_and_update(
            {"_id": turn.partition}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER)
        return lease if lease and lease["owner"] == turn.owner else None

    def _renew(self, turn: _Turn) -> None:
        """Raises _Lost when the lease has ended meanwhile, and another worker has taken the partition."""
        if not self._lease(turn):
            raise _Lost

    def _release(self, turn: _Turn) -> None:
        self._leases.delete_one({"_id": turn.partition, "owner": turn.owner})


def _named(error: Exception) -> str:
    """Kind and place of an error, without its text, which may show a patient: `ValueError at obx.py:41`."""
    *_, frame = extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"
