"""What feeds have produced: how new each resource is, and which business records state it.

Written in the same transaction as the resources, and only where nothing newer was there first: a decision that was
made on what has changed meanwhile takes no effect.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import InsertOne, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from fhir_server.outcome import Conflict
from fhir_server.store.database import Document, translated

DUPLICATE_KEY = 11000


class Overtaken(Conflict):
    """A newer message was there first, so that nothing was written: look again, and decide again."""


@dataclass(frozen=True)
class Produced:
    """What one version of a business record does. References are `Observation/x`.

    key        of the record, the same for all its versions
    time       of the message; the newer one wins
    fresh      of these nothing was known before
    written    is as this record says, so nothing newer may stand there
    stated     all that a whole record states: once a later version lacks it, it is withdrawn
    gone       withdrawn: the time is kept, so that nothing older revives it
    left       no longer stated by this record, but it stands for other reasons
    whole      the record is all there is of it, or its deletion; else it only adds
    withdrawn  the record as a whole was deleted
    """

    key: str
    time: datetime
    fresh: Collection[str] = ()
    written: Collection[str] = ()
    stated: Collection[str] = ()
    gone: Collection[str] = ()
    left: Collection[str] = ()
    whole: bool = False
    withdrawn: bool = False


@dataclass(frozen=True)
class State:
    """How new the stored version of a whole record is, and whether it withdrew the record."""

    time: datetime
    withdrawn: bool


@dataclass(frozen=True)
class Known:
    """How new a resource is (None: never written as a record says), and the keys of the whole records that state it."""

    time: datetime | None = None
    by: frozenset[str] = frozenset()


class Records:
    """Bulk look-ups and writes: one round trip each, however many records."""

    def __init__(self, database: Database[Document]) -> None:
        self._records = database["records"]
        self._resources = database["record_resources"]

    def prepare(self) -> None:
        self._resources.create_index("by", sparse=True)
        # An index makes its collection, and a transaction should find both made.
        self._records.create_index("time")

    @translated()
    def states(self, keys: Iterable[str]) -> dict[str, State]:
        """Returns the state of each whole record that is known."""
        found = self._records.find({"_id": {"$in": list(keys)}})
        return {row["_id"]: State(row["time"], row["withdrawn"]) for row in found}

    @translated()
    def known(self, references: Iterable[str], keys: Iterable[str] = ()) -> dict[str, Known]:
        """Returns by reference what is known of these resources, and of all that these records state."""
        found = self._resources.find({"$or": [{"_id": {"$in": list(references)}}, {"by": {"$in": list(keys)}}]})
        return {row["_id"]: Known(row.get("time"), frozenset(row.get("by", ()))) for row in found}

    def put(self, produced: Sequence[Produced], session: ClientSession) -> None:
        """Keeps what was produced, in the transaction of the resources. The same twice changes nothing.

        Raises Overtaken where something newer stands.
        """
        # What is fresh comes first, for inserts together cost a fraction of as many upserts.
        resources: list[InsertOne[Document] | UpdateOne] = [step for one in produced for step in _inserts(one)]
        resources += [step for one in produced for step in _updates(one)]
        records = [_newer(one.key, one.time, {"withdrawn": one.withdrawn}) for one in produced if one.whole]
        try:
            if resources:
                self._resources.bulk_write(resources, ordered=True, session=session)
            if records:
                self._records.bulk_write(records, ordered=True, session=session)
        except BulkWriteError as error:
            if any(one["code"] == DUPLICATE_KEY for one in error.details["writeErrors"]):
                raise Overtaken("A newer message was there first.") from None
            raise


def _inserts(produced: Produced) -> Iterator[InsertOne[Document]]:
    for one in sorted(produced.fresh):
        time = {"time": produced.time} if one in produced.written else {}
        yield InsertOne({"_id": one, **time, **({"by": [produced.key]} if one in produced.stated else {})})


def _updates(produced: Produced) -> Iterator[UpdateOne]:
    stated = {"$addToSet": {"by": produced.key}}
    dropped: dict[str, Any] = {"$pull": {"by": produced.key}}
    for one in sorted(set(produced.written) - set(produced.fresh)):
        yield _newer(one, produced.time, {}, stated if one in produced.stated else {})
    for one in sorted(set(produced.stated) - set(produced.written) - set(produced.fresh)):
        yield UpdateOne({"_id": one}, stated, upsert=True)
    for one in sorted(produced.gone):
        yield _newer(one, produced.time, {}, dropped)
    for one in sorted(produced.left):
        yield UpdateOne({"_id": one}, dropped)


def _newer(id_: str, time: datetime, fields: Document, change: Document | None = None) -> UpdateOne:
    """Where something newer stands the filter misses it, and the insert fails on its id: that aborts all."""
    not_newer = {"_id": id_, "$or": [{"time": {"$lte": time}}, {"time": None}]}
    return UpdateOne(not_newer, {"$set": {"time": time, **fields}, **(change or {})}, upsert=True)
