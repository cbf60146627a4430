"""The journal of feeds: what arrived, byte for byte, before it is acknowledged.

States: received → done | parked (quarantine: waits for a person, with reason and place); a retry stays received;
held (unknown sender) → received when the sender is admitted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from threading import Event

import gridfs
from pymongo import ReturnDocument, WriteConcern
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from fhir_server.outcome import NotFound
from fhir_server.store.database import Document, translated
from fhir_server.store.queue import DONE, HELD, PARKED, RECEIVED, Hold, Park, Queue, partition

__all__ = ["Count", "Entry", "Hold", "Journal", "Message", "Park", "Parked", "Receipt", "Row", "unique"]

# A document holds 16 MB at most; larger messages go to GridFS.
DOCUMENT_LIMIT = 12 * 1024 * 1024
DUPLICATE_KEY = 11000

_SHOWN = {"raw": 0, "ack": 0}


@dataclass(frozen=True)
class Parked:
    """Why a message waits for a person. `place` is a segment and field such as `OBX[3]-5`, or ""."""

    reason: str
    place: str = ""


@dataclass(frozen=True)
class Message:
    """One raw message as it arrived.

    feed      "mllp", "ssmix2", …
    sender    institution number of the facility it came from
    control   what names it at the sender: MSH-10, or the file name
    raw       the exact bytes
    order     messages with the same order key are processed in order of arrival: sender and patient
    received  arrival, with time zone
    ack       the answer sent, replayed for a duplicate
    held      not to be processed yet, with the reason (unknown sender)
    parked    to be looked at by a person, not to be processed
    stands    it is what stands under its name now, such as a file: the bytes of an earlier version are news again. An
              event has happened once, however often it is sent
    """

    feed: str
    sender: str
    control: str
    raw: bytes
    order: str
    received: datetime
    ack: bytes = b""
    held: str = ""
    parked: Parked | None = None
    stands: bool = False


@dataclass(frozen=True)
class Receipt:
    """Where a message stands: `id` in the journal; a duplicate carries the acknowledgement of the first."""

    id: str
    duplicate: bool
    ack: bytes


@dataclass(frozen=True)
class Entry:
    """A message as a worker gets it; `attempts` counts those that failed."""

    id: str
    feed: str
    sender: str
    control: str
    raw: bytes
    order: str
    received: datetime
    attempts: int


@dataclass(frozen=True)
class Row:
    """A message as the status page shows it."""

    id: str
    feed: str
    sender: str
    control: str
    received: datetime
    state: str
    reason: str
    place: str
    attempts: int


@dataclass(frozen=True)
class Count:
    """How many messages of one feed are in one state, and when the last of them arrived."""

    feed: str
    state: str
    number: int
    last: datetime


def unique(message: Message) -> str:
    """Returns the id of a message, from sender, control and bytes: the same message twice is one message."""
    names = f"{message.sender}\0{message.control}\0".encode()
    return sha256(names + sha256(message.raw).digest()).hexdigest()[:32]


class Journal:
    """Feeds put messages in, workers take them out in order. The only truth about what has arrived."""

    def __init__(self, database: Database[Document], lease: float = 10.0) -> None:
        self._queue = Queue(database, "journal", lease)
        self._rows = self._queue.rows
        # A number may be lost with the machine, but never after a message with it is durable: that comes later.
        self._numbers = database["counters"].with_options(write_concern=WriteConcern(w=1))
        self._files = gridfs.GridFSBucket(database, "journal_raw")

    def prepare(self) -> None:
        self._queue.prepare()
        self._rows.create_index([("state", 1), ("feed", 1), ("received", -1)])
        self._rows.create_index([("sender", 1)], partialFilterExpression={"state": HELD})
        versions = [("sender", 1), ("control", 1), ("seq", -1)]
        self._rows.create_index(versions, partialFilterExpression={"stands": True})

    @translated()
    def receive(self, messages: Sequence[Message]) -> list[Receipt]:
        """Stores the messages durably (majority, journaled) in one batch; returns a receipt for each, in order."""
        ids = [unique(one) for one in messages]
        first: dict[str, int] = {}
        for number, id_ in enumerate(ids):
            first.setdefault(id_, number)
        before = self._insert({id_: messages[number] for id_, number in first.items()})
        acks = before | {id_: messages[number].ack for id_, number in first.items() if id_ not in before}
        return [Receipt(id_, id_ in before or first[id_] != number, acks[id_]) for number, id_ in enumerate(ids)]

    def work(self, owner: str, handle: Callable[[Sequence[Entry]], None], stop: Event) -> None:
        """Hands messages to `handle` until `stop` is set: several of one partition, in order of arrival.

        When it returns, all have taken effect. If it raises for several, it gets them again one by one; then Park parks
        that message, and anything else asks for another attempt later, before which no later one of its order key runs.
        """
        self._queue.work(owner, lambda rows: handle([self._entry(row) for row in rows]), stop)

    @translated()
    def counts(self) -> list[Count]:
        """Returns how many messages of each feed are in each state.

        What is not done is counted; done is the rest of what has arrived, and may be off by what was just arriving
        when a process was killed.
        """
        arrived: dict[str, int] = (self._numbers.find_one({"_id": "journal"}) or {}).get("arrived", {})
        return [count for feed, number in sorted(arrived.items()) for count in self._counts(feed, number)]

    @translated()
    def waiting(self, feed: str) -> int:
        """Returns how many messages of a feed wait for a worker."""
        return self._rows.count_documents({"state": RECEIVED, "feed": feed})

    @translated()
    def rows(self, state: str, limit: int = 50) -> list[Row]:
        """Returns messages in the state, the newest first."""
        feeds = self._rows.distinct("feed", {"state": state})
        found = self._rows.find({"state": state, "feed": {"$in": feeds}}, _SHOWN, sort=[("received", -1)], limit=limit)
        return [_row(one) for one in found]

    @translated()
    def row(self, id_: str) -> Row:
        """Returns the message with that id. Raises NotFound."""
        return _row(self._found(id_))

    @translated()
    def raw(self, id_: str) -> bytes:
        """Returns the exact bytes of the message. Raises NotFound."""
        return self._bytes(self._found(id_))

    @translated()
    def replay(self, id_: str) -> None:
        """Lets a message be processed again. Raises NotFound."""
        self._found(id_)
        self._queue.replay({"_id": id_})

    @translated()
    def replay_parked(self, feed: str = "") -> int:
        """Lets all that is parked, or all of one feed, be processed again; returns how many."""
        return self._queue.replay({"state": PARKED, **({"feed": feed} if feed else {})})

    @translated()
    def held(self) -> list[str]:
        """Returns the numbers of the senders whose messages are held."""
        return list(self._rows.distinct("sender", {"state": HELD}))

    @translated()
    def release(self, senders: Sequence[str]) -> int:
        """Lets the held messages of senders that are now admitted be processed; returns how many."""
        return self._queue.replay({"state": HELD, "sender": {"$in": list(senders)}})

    def _counts(self, feed: str, arrived: int) -> Iterable[Count]:
        numbers = {state: self._rows.count_documents({"state": state, "feed": feed})
                   for state in (HELD, PARKED, RECEIVED)}
        numbers[DONE] = arrived - sum(numbers.values())
        for state, number in sorted(numbers.items()):
            last = self._rows.find_one({"state": state, "feed": feed}, {"received": 1}, sort=[("received", -1)])
            if last:
                yield Count(feed, state, max(1, number), last["received"])

    def _insert(self, messages: Mapping[str, Message]) -> dict[str, bytes]:
        """Stores what is new, by id; returns the stored acknowledgements of what is not."""
        if not messages:
            return {}
        start = self._number(Counter(one.feed for one in messages.values()))
        numbered = {id_: start + i for i, id_ in enumerate(messages)}
        documents = [self._document(id_, message, numbered[id_]) for id_, message in messages.items()]
        try:
            self._rows.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            return self._known({id_: messages[id_] for id_ in _duplicates(error)}, numbered)
        return {}

    def _known(self, messages: Mapping[str, Message], numbered: Mapping[str, int]) -> dict[str, bytes]:
        """Returns the stored acknowledgements of duplicates, without those that stand again and so are news."""
        again = Counter(one.feed for one in messages.values())
        self._count({feed: -number for feed, number in again.items()})
        acks = {row["_id"]: row["ack"] for row in self._rows.find({"_id": {"$in": list(messages)}}, {"ack": 1})}
        restored = self._replaced({id_: one for id_, one in messages.items() if one.stands})
        for id_ in restored:
            news = {**_standing(messages[id_]), "seq": numbered[id_], "received": messages[id_].received, "attempts": 0}
            self._rows.update_one({"_id": id_}, {"$set": news, "$unset": {"due": ""}})
        return {id_: ack for id_, ack in acks.items() if id_ not in restored}

    def _replaced(self, messages: Mapping[str, Message]) -> list[str]:
        """Returns the ids of those after which something else came under the same name."""
        if not messages:
            return []
        senders, controls = ({getattr(one, name) for one in messages.values()} for name in ("sender", "control"))
        under = {"stands": True, "sender": {"$in": list(senders)}, "control": {"$in": list(controls)}}
        rows = self._rows.find(under, {"sender": 1, "control": 1}, sort=[("seq", 1)])
        newest = {(row["sender"], row["control"]): row["_id"] for row in rows}
        return [id_ for id_, one in messages.items() if newest.get((one.sender, one.control), id_) != id_]

    def _number(self, feeds: Counter[str]) -> int:
        """Returns the first of as many arrival numbers, and counts by feed what arrives."""
        return self._count(feeds, feeds.total()) - feeds.total()

    def _count(self, feeds: Mapping[str, int], numbers: int = 0) -> int:
        step = {"n": numbers, **{f"arrived.{feed}": number for feed, number in feeds.items()}}
        counter = self._numbers.find_one_and_update(
            {"_id": "journal"}, {"$inc": step}, upsert=True, return_document=ReturnDocument.AFTER)
        assert counter
        return int(counter["n"])

    def _document(self, id_: str, message: Message, seq: int) -> Document:
        return {
            "_id": id_,
            "seq": seq,
            "p": partition(message.order),
            "order": message.order,
            **_standing(message),
            "attempts": 0,
            "feed": message.feed,
            "sender": message.sender,
            "control": message.control,
            "received": message.received,
            "ack": message.ack,
            **({"stands": True} if message.stands else {}),
            **self._stored(id_, message.raw),
        }

    def _stored(self, id_: str, raw: bytes) -> Document:
        if len(raw) <= DOCUMENT_LIMIT:
            return {"raw": raw}
        if self._rows.find_one({"_id": id_}, {"_id": 1}):
            return {}  # A duplicate, whose row will be refused: the bytes need not be stored again.
        return {"file": self._files.upload_from_stream(id_, raw)}

    def _found(self, id_: str) -> Document:
        row = self._rows.find_one({"_id": id_})
        if row is None:
            raise NotFound(f"The journal has no message {id_}.")
        return row

    def _bytes(self, row: Document) -> bytes:
        return self._files.open_download_stream(row["file"]).read() if "file" in row else row["raw"]

    def _entry(self, row: Document) -> Entry:
        return Entry(
            id=row["_id"],
            feed=row["feed"],
            sender=row["sender"],
            control=row["control"],
            raw=self._bytes(row),
            order=row["order"],
            received=row["received"],
            attempts=row["attempts"],
        )


def _standing(message: Message) -> Document:
    """State, reason and place of a message that arrives."""
    if message.held:
        return {"state": HELD, "reason": message.held, "place": ""}
    if message.parked:
        return {"state": PARKED, "reason": message.parked.reason, "place": message.parked.place}
    return {"state": RECEIVED, "reason": "", "place": ""}


def _duplicates(error: BulkWriteError) -> list[str]:
    """The ids that were there already. Raises the error again if anything else went wrong."""
    errors = error.details["writeErrors"]
    if error.details["writeConcernErrors"] or any(one["code"] != DUPLICATE_KEY for one in errors):
        raise error
    return [one["op"]["_id"] for one in errors]


def _row(row: Document) -> Row:
    return Row(
        id=row["_id"],
        feed=row["feed"],
        sender=row["sender"],
        control=row["control"],
        received=row["received"],
        state=row["state"],
        reason=row["reason"],
        place=row["place"],
        attempts=row["attempts"],
    )
