"""Who is at work: every part of a running server signs here every few seconds, so that health can be told."""

from datetime import datetime, timedelta

from pymongo.database import Database

from fhir_server.store.database import Document, translated

EVERY = 2.0
FRESH = timedelta(seconds=10)
_KEPT = 3600


class Heartbeats:
    """The signatures of all parts on all machines. `name` tells two of the same part apart: `host:pid`.

    Each raises Unavailable when the database does not answer.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["heartbeats"]

    def prepare(self) -> None:
        """Makes MongoDB forget the signatures of parts that died long ago."""
        with translated():
            self._rows.create_index("at", expireAfterSeconds=_KEPT)

    def beat(self, part: str, name: str, now: datetime) -> None:
        with translated():
            self._rows.replace_one({"_id": f"{part}@{name}"}, {"part": part, "at": now}, upsert=True)

    def leave(self, part: str, name: str) -> None:
        with translated():
            self._rows.delete_one({"_id": f"{part}@{name}"})

    def parts(self, now: datetime) -> dict[str, int]:
        """Returns how many of each part have signed in the last ten seconds."""
        counting = {"$group": {"_id": "$part", "n": {"$sum": 1}}}
        with translated():
            rows = self._rows.aggregate([{"$match": {"at": {"$gte": now - FRESH}}}, counting])
            return {row["_id"]: row["n"] for row in rows}
