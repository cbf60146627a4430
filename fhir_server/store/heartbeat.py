"""Who is at work: every part of a running server signs here every few seconds, so that health can be told."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pymongo.collection import Collection
from pymongo.database import Database

EVERY = 2.0
FRESH = timedelta(seconds=10)
_KEPT = 3600


class Heartbeats:
    """The signatures of all parts on all machines. `name` tells two of the same part apart: `host:pid`."""

    def __init__(self, database: Database[Mapping[str, Any]]) -> None:
        self._rows: Collection[Mapping[str, Any]] = database["heartbeats"]

    def prepare(self) -> None:
        """Makes MongoDB forget the signatures of parts that died long ago."""
        self._rows.create_index("at", expireAfterSeconds=_KEPT)

    def beat(self, part: str, name: str, now: datetime) -> None:
        self._rows.replace_one({"_id": f"{part}@{name}"}, {"part": part, "at": now}, upsert=True)

    def leave(self, part: str, name: str) -> None:
        self._rows.delete_one({"_id": f"{part}@{name}"})

    def parts(self, now: datetime) -> dict[str, int]:
        """Returns how many of each part have signed in the last ten seconds."""
        rows = self._rows.aggregate(
            [{"$match": {"at": {"$gte": now - FRESH}}}, {"$group": {"_id": "$part", "n": {"$sum": 1}}}]
        )
        return {row["_id"]: row["n"] for row in rows}
