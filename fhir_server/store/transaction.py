"""Several writes, all or none: one MongoDB transaction of few round trips, its writes grouped by type."""

import random
import time
from collections.abc import Callable, Sequence
from itertools import groupby

from pymongo import InsertOne, MongoClient, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from fhir_server.outcome import TooLarge
from fhir_server.store import envelope
from fhir_server.store.collections import Collections
from fhir_server.store.database import DURABLE, Document
from fhir_server.store.document import Version, Write
from fhir_server.store.live import Raced, was_live
from fhir_server.store.unit import Outdated

Along = Callable[[ClientSession], None]

ATTEMPTS = 8
PAUSE = 0.005
# MongoDB's codes of errors.
DUPLICATE_KEY, TOO_LARGE = 11000, 388
# One that keeps failing and is at least so large is rolled back for its size, not for the writes of others.
LARGE = 8 * 1024 * 1024

_TOO_LARGE = "The transaction is larger than the database can hold in memory. Send it in smaller parts, or as a batch."


def write_all(
    writes: Sequence[Write],
    client: MongoClient[Document],
    collections: Collections,
    along: Along | None = None,
    first: Along | None = None,
) -> None:
    """Makes all writes durable, or none; `first` checks what they were decided on, `along` writes what belongs to them.

    Raises Raced, TooLarge for what the database's cache cannot hold, and whatever `first` and `along` raise; Outdated
    where others wrote at the same time and there is something to check.
    """
    ordered = sorted(writes, key=lambda one: (one.next.type, one.next.id))
    for attempt in range(ATTEMPTS):
        try:
            return _attempt(ordered, client, collections, along, first)
        except PyMongoError as error:
            codes = _codes(error)
            if DUPLICATE_KEY in codes:
                raise Raced from None
            if TOO_LARGE in codes:
                raise TooLarge(_TOO_LARGE) from None
            if not error.has_error_label("TransientTransactionError"):
                raise
            if first:
                # To look at what the others wrote is cheaper than to try the same again.
                raise Outdated from None
        time.sleep(random.uniform(0, PAUSE * 2**attempt))
    if sum(len(one.next.raw) for one in writes) >= LARGE:
        raise TooLarge(_TOO_LARGE)
    raise Raced


def _attempt(
    writes: Sequence[Write],
    client: MongoClient[Document],
    collections: Collections,
    along: Along | None,
    first: Along | None,
) -> None:
    with client.start_session() as session, session.start_transaction(ReadConcern("local"), DURABLE):
        if first:
            first(session)
        for type_, group in groupby(writes, key=lambda one: one.next.type):
            _write(type_, list(group), collections, session)
        if along:
            along(session)


def _write(type_: str, writes: Sequence[Write], collections: Collections, session: ClientSession) -> None:
    replaced = [one.previous for one in writes if one.previous]
    if replaced:
        collections.history(type_).bulk_write([_copy(one) for one in replaced], session=session)
    done = collections.live(type_).bulk_write([_step(one) for one in writes], session=session)
    if done.matched_count != len(replaced):
        raise Raced


def _codes(error: PyMongoError) -> set[int]:
    details = getattr(error, "details", None) or {}
    return {details.get("code"), *(one["code"] for one in details.get("writeErrors", ()))}


def _copy(previous: Version) -> ReplaceOne[Document]:
    copy = envelope.past(previous)
    return ReplaceOne({"_id": copy["_id"]}, copy, upsert=True)


def _step(write: Write) -> InsertOne[Document] | ReplaceOne[Document]:
    document = envelope.live(write.next)
    return ReplaceOne(was_live(write), document) if write.previous else InsertOne(document)
