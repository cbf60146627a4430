"""All that is stored, and the one way to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from secrets import token_bytes
from typing import Self

from pymongo.client_session import ClientSession

from fhir_server.outcome import Unavailable
from fhir_server.store import envelope, find, live, past, total, transaction
from fhir_server.store.access import seen
from fhir_server.store.collections import Collections
from fhir_server.store.database import Document, connect, translated
from fhir_server.store.document import Version, Write
from fhir_server.store.error import StoreError
from fhir_server.store.explained import Explained, explained
from fhir_server.store.facilities import Facilities
from fhir_server.store.find import Deadline
from fhir_server.store.heartbeat import Heartbeats
from fhir_server.store.journal import Journal
from fhir_server.store.live import Raced
from fhir_server.store.migrate import migrate
from fhir_server.store.past import Asked
from fhir_server.store.parameters import Parameters
from fhir_server.store.plan import Plan
from fhir_server.store.reading import EXAMINE_LIMIT, Reading, read
from fhir_server.store.records import Produced, Records
from fhir_server.store.reindex import Reindex
from fhir_server.store.unit import Claims, Given, Outdated

__all__ = ["Outdated", "Raced", "Store"]

# Of the layout of the database. A higher one was written by a later release.
FORMAT = 2
READ_MS = 10_000


class Store:
    """The database of one network. Every method raises Unavailable when MongoDB does not answer for `patience` seconds.

    journal     what feeds have sent          records     what feeds have produced
    facilities  who feeds the network         heartbeats  which parts of the server are at work
    parameters  what is searched by           reindex     what is indexed by others, and who renews it
    """

    def __init__(
        self, uri: str, database: str, patience: float = 5.0, examine_limit: int = EXAMINE_LIMIT
    ) -> None:
        self._examine_limit = examine_limit
        self._database = connect(uri, database, patience)
        self._collections = Collections(self._database)
        self.journal = Journal(self._database)
        self.records = Records(self._database)
        self.facilities = Facilities(self._database)
        self.heartbeats = Heartbeats(self._database)
        self.parameters = Parameters(self._database)
        self.reindex = Reindex(self._database, self._collections)
        self._inserts = live.Inserts(self._collections)
        self._claims = Claims(self._database, self._find_within)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._database.client.close()

    @translated()
    def prepare(self, demo: bool = False) -> None:
        """Makes an empty database ours, or checks that it is.

        Raises StoreError for the data of a later release, and where demonstration and real data would mix.
        """
        formats = self._database["format"]
        first = {"number": FORMAT, "demo": demo, "key": token_bytes(32)}
        formats.update_one({"_id": "format"}, {"$setOnInsert": first}, upsert=True)
        found = formats.find_one({"_id": "format"}) or {}
        _check_format(found, demo)
        if found["number"] < FORMAT:
            migrate(found["number"], self._collections)
            formats.update_one({"_id": "format"}, {"$set": {"number": FORMAT}})
        self.journal.prepare()
        self.records.prepare()
        self.facilities.prepare()
        self.heartbeats.prepare()
        self._claims.prepare()

    @translated()
    def key(self) -> bytes:
        """Returns the secret of this database, which signs what clients carry between requests."""
        found = self._database["format"].find_one({"_id": "format"}, max_time_ms=READ_MS) or {}
        return bytes(found["key"])

    def ready(self) -> bool:
        """Tells whether the database takes writes now."""
        try:
            return bool(self._hello().get("isWritablePrimary"))
        except Unavailable:
            return False

    @translated()
    def _hello(self) -> Document:
        return self._database.client.admin.command("hello")

    @translated()
    def get(
        self, type_: str, id_: str, may_see: Sequence[str], session: ClientSession | None = None
    ) -> Version | None:
        """Returns the live version, which may be a tombstone; None where the id was never used.

        may_see  access keys that it must all have, here and wherever something is read; UNRESTRICTED for writers
        """
        found = read(self._database, {
            "find": type_, "filter": {"_id": id_, **seen(may_see)}, "projection": envelope.SHOWN,
            "limit": 1, "singleBatch": True, "maxTimeMS": READ_MS,
        }, session)["cursor"]["firstBatch"]
        return envelope.version(type_, found[0]) if found else None

    @translated()
    def get_many(
        self, ids: Mapping[str, Iterable[str]], may_see: Sequence[str], session: ClientSession | None = None
    ) -> dict[tuple[str, str], Version]:
        """Returns by (type, id) the live versions, tombstones included, of `{type: ids}`; one round trip a type."""
        return {
            (type_, found["_id"]): envelope.version(type_, found)
            for type_, wanted in ids.items()
            for found in self._collections.live(type_).find(
                {"_id": {"$in": list(wanted)}, **seen(may_see)}, envelope.SHOWN, session=session, max_time_ms=READ_MS)
        }

    @translated()
    def write(
        self, writes: Sequence[Write], produced: Sequence[Produced] = (), given: Sequence[Given] = ()
    ) -> None:
        """Makes all writes durable (journaled by a majority), or none. One resource may stand in them only once.

        produced  what a feed keeps of the records it wrote, in the same step
        given     what searches found that the writes were decided on: it is still so when they are made
        Raises Outdated where it is not, Raced when a previous version is no longer the live one, Overtaken when
        something newer than a record is known, TooLarge for what the database cannot hold.
        """
        self._collections.make(one.next.type for one in writes)
        if len(writes) == 1 and not produced and not given:
            live.write_one(writes[0], self._collections, self._inserts)
        elif writes or produced:
            keep = partial(self.records.put, produced) if produced else None
            hold = partial(self._claims.hold, given) if given else None
            transaction.write_all(writes, self._database.client, self._collections, keep, hold)

    def _find_within(self, plan: Plan, session: ClientSession) -> find.Page:
        """A search inside a transaction, whose errors say what becomes of that."""
        return find.find(plan, self._reading(None, session))

    @translated()
    def version(self, type_: str, id_: str, number: int, may_see: Sequence[str]) -> Version | None:
        """Returns that version, which may be a tombstone; None where there is none."""
        live_or_past = (
            (self._collections.live(type_), {"_id": id_, "v": number}),
            # Looked into last: a version is copied there before it is replaced.
            (self._collections.history(type_), {"_id": envelope.past_id(id_, number)}),
        )
        for rows, which in live_or_past:
            if found := rows.find_one({**which, **seen(may_see)}, envelope.SHOWN, max_time_ms=READ_MS):
                return envelope.version(type_, found)
        return None

    @translated()
    def history(
        self, asked: Asked, deadline: Deadline | None = None, limit_bytes: int = find.ANSWER_LIMIT
    ) -> past.PastPage:
        """Returns one page of versions, tombstones included, newest first, cut off before they hold more than so much.

        No types in `asked` are all. Raises TooCostly at the deadline, which is 10 s ahead where none is given.
        """
        wanted = asked if asked.types else replace(asked, types=self._collections.types())
        return past.page(wanted, self._collections, deadline or Deadline.after(), limit_bytes)

    @translated()
    def find(
        self, plan: Plan, deadline: Deadline | None = None, limit_bytes: int = find.ANSWER_LIMIT,
        session: ClientSession | None = None,
    ) -> find.Page:
        """Returns one page of a search, cut off before its rows hold more than `limit_bytes`.

        Raises TooCostly at the deadline, which is 10 s ahead where none is given, and where it would have to go through
        too many resources.
        """
        return find.find(plan, self._reading(deadline, session), limit_bytes)

    @translated()
    def count(self, plan: Plan, deadline: Deadline | None = None, session: ClientSession | None = None) -> int:
        """Returns how many resources a search matches. Raises TooCostly as `find` does."""
        return total.count(plan, self._reading(deadline, session))

    @translated()
    def estimate(self, plan: Plan, deadline: Deadline | None = None) -> int:
        """Returns about how many resources a search matches, few exactly. Raises TooCostly as `find` does."""
        return total.estimate(plan, self._reading(deadline))

    @translated()
    def explain(self, plan: Plan, deadline: Deadline | None = None) -> Explained:
        """Runs a search, and tells what was decided and what each of its commands did. Raises as `find` does."""
        return explained(plan, self._reading(deadline))

    def _reading(self, deadline: Deadline | None = None, session: ClientSession | None = None) -> Reading:
        return Reading(self._database, deadline or Deadline.after(), session, self._examine_limit)

    @translated()
    def counts(self) -> dict[str, int]:
        """Returns how many resources are stored of each type that has any; from statistics, so near enough to show."""
        counted = {type_: self._count(type_) for type_ in self._collections.types()}
        return {type_: number for type_, number in counted.items() if number}

    def _count(self, type_: str) -> int:
        rows = self._collections.live(type_)
        # An empty `ix` is a tombstone's; MongoDB finds these few in the index.
        return rows.estimated_document_count() - rows.count_documents({"ix": []}, maxTimeMS=READ_MS)


def _check_format(found: Mapping[str, object], demo: bool) -> None:
    if found.get("number", 0) not in range(1, FORMAT + 1):
        raise StoreError(
            f"The database has format {found.get('number')}, this release knows {FORMAT}. "
            "Start the release that wrote it, or a later one."
        )
    if found.get("demo") and not demo:
        raise StoreError("The database holds a demonstration. Start with --demo, or choose another --data-dir.")
    if demo and not found.get("demo"):
        raise StoreError("The database holds no demonstration. Start without --demo, or choose another --data-dir.")
