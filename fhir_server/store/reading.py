"""One search at the database. All its commands go through here, each with what is left of the time for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from bson.codec_options import CodecOptions
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import AutoReconnect, ExecutionTimeout, ServerSelectionTimeoutError

from fhir_server.outcome import TooCostly
from fhir_server.store.database import Document
from fhir_server.store.plan import Filter

TIME_LIMIT_MS = 10_000
# So many resources may be gone through for a page or a total, if its time does not end before.
EXAMINE_LIMIT = 100_000
# Nearly every search ends long before.
QUICK_MS = 500
# Up to this many matches are fetched and sorted; more are met soon enough on a walk in order.
FEW = 2000
# MongoDB merges so many keys in order.
JOINED = 200

ADVICE = "The search takes too long. Name a patient, or narrow it by a code, an identifier or a shorter period."

# Times come without a zone and are in UTC: several times faster to decode.
_CODEC: CodecOptions[Document] = CodecOptions(tz_aware=False)

Index = Mapping[str, int]


@dataclass(frozen=True)
class Deadline:
    """When a search must have ended, its probes, its page and its total together: `end` by the monotonic clock."""

    end: float

    @classmethod
    def after(cls, ms: int = TIME_LIMIT_MS) -> "Deadline":
        return cls(monotonic() + ms / 1000)

    def left_ms(self) -> int:
        """Returns the time that is left. Raises TooCostly when there is none."""
        left = int((self.end - monotonic()) * 1000)
        if left < 1:
            raise TooCostly(ADVICE)
        return left


class Slow(TooCostly):
    """A command took longer than it was given."""


def read(database: Database[Document], command: Document, session: ClientSession | None = None) -> Document:
    """Returns the reply; its times have no zone and are in UTC. Asks once more where the connection was lost.

    Half the work of the driver's own cursors, for what fits into one reply.
    """
    try:
        return database.command(command, codec_options=_CODEC, session=session)
    except ServerSelectionTimeoutError:
        raise
    except AutoReconnect:
        if session:
            raise
        return database.command(command, codec_options=_CODEC)


@dataclass(frozen=True)
class Reading:
    """What one search has to go by.

    examine  so many resources it may go through
    few      so many matches may be fetched to be sorted
    quick    a search that may be long is given so many ms first, before it is run step by step
    joined   by so many keys or ids at a time other resources are looked for
    seen     if given, each command that was run is added to it
    """

    database: Database[Document]
    deadline: Deadline
    session: ClientSession | None = None
    examine: int = EXAMINE_LIMIT
    few: int = FEW
    quick: int = QUICK_MS
    joined: int = JOINED
    seen: list[Document] | None = None

    def rows(
        self,
        type_: str,
        filter: Filter,
        projection: Mapping[str, Any],
        limit: int,
        sort: Index | None = None,
        hint: Index | None = None,
        ms: int = TIME_LIMIT_MS,
        **more: Any,
    ) -> tuple[list[Document], bool]:
        """Returns up to `limit` documents, and whether they are fewer because they would not fit into one reply.

        Raises Slow after `ms`, TooCostly at the deadline.
        """
        asked = {"sort": sort, "hint": hint}
        return self._batch({
            "find": type_, "filter": filter, "projection": projection, "limit": limit, "batchSize": limit,
            **{name: value for name, value in asked.items() if value}, **more,
        }, type_, ms)

    def gathered(
        self, type_: str, stages: Sequence[Document], hint: Index | None = None, ms: int = TIME_LIMIT_MS
    ) -> tuple[list[Document], bool]:
        """Returns what a pipeline gives, and whether it is cut off as too much for one reply. Raises as `rows` does."""
        return self._batch({
            "aggregate": type_, "pipeline": list(stages), "cursor": {"batchSize": EXAMINE_LIMIT},
            **({"hint": hint} if hint else {}),
        }, type_, ms)

    def count(
        self, type_: str, filter: Filter, hint: Index | None = None, limit: int = 0, ms: int = TIME_LIMIT_MS
    ) -> int:
        """Returns how many documents fit, at most `limit` where one is given. Raises Slow, TooCostly."""
        limited = [{"$limit": limit}] if limit else []
        # No field is asked for, so that keys alone are counted in the index.
        stages: list[Document] = [{"$match": filter}, *limited, {"$group": {"_id": None, "number": {"$sum": 1}}}]
        return sum(one["number"] for one in self.gathered(type_, stages, hint, ms)[0])

    def number(self, type_: str) -> int:
        """Returns how many documents of a type there are, tombstones too, from statistics."""
        return int(self._run({"count": type_}, TIME_LIMIT_MS)["n"])

    def _batch(self, command: Document, type_: str, ms: int) -> tuple[list[Document], bool]:
        cursor = self._run(command, ms)["cursor"]
        if cursor["id"]:
            self.database.command({"killCursors": type_, "cursors": [cursor["id"]]}, session=self.session)
        return cursor["firstBatch"], bool(cursor["id"])

    def _run(self, command: Document, ms: int) -> Document:
        timed = {**command, "maxTimeMS": min(ms, self.deadline.left_ms())}
        if self.seen is not None:
            self.seen.append(timed)
        try:
            return read(self.database, timed, self.session)
        except ExecutionTimeout:
            raise Slow(ADVICE) from None
