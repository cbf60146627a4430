"""What a write was decided on, held true in its transaction: conditional interactions and who else runs them.

All who write by the same criteria first touch the same claim, then search again, then write. Of two at once MongoDB
lets one through; the other looks again and sees what the first one wrote.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from pymongo import UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database

from fhir_server.store.database import Document
from fhir_server.store.find import Page
from fhir_server.store.plan import Plan

# A claim matters while its transaction runs; MongoDB ends that after a minute.
KEPT_SECONDS = 3600


class Outdated(Exception):
    """What the write was decided on is no longer so, and nothing was written: search again, and decide again."""


@dataclass(frozen=True)
class Given:
    """What a search found when it was decided what to write: the ids of its page."""

    plan: Plan
    ids: frozenset[str]


class Claims:
    """One document for each search that somebody wrote by; they go by themselves. `search` runs a plan in a session."""

    def __init__(self, database: Database[Document], search: Callable[[Plan, ClientSession], Page]) -> None:
        self._claims = database["claims"]
        self._search = search

    def prepare(self) -> None:
        self._claims.create_index("at", expireAfterSeconds=KEPT_SECONDS)

    def hold(self, given: Sequence[Given], session: ClientSession) -> None:
        """Claims the searches and runs them again, first of all in a transaction. Raises Outdated."""
        # The count makes it a write each time, for only writes conflict.
        touch = {"$inc": {"n": 1}, "$currentDate": {"at": True}}
        claims = sorted({_claim(one.plan) for one in given})
        self._claims.bulk_write([UpdateOne({"_id": one}, touch, upsert=True) for one in claims], session=session)
        for one in given:
            if frozenset(row.id for row in self._search(one.plan, session).rows) != one.ids:
                raise Outdated


def _claim(plan: Plan) -> bytes:
    """The same for the same criteria in any order."""
    keys = sorted(sorted(one) for one in plan.keys)
    return sha256(repr((plan.type, keys, sorted(map(repr, plan.rest)), plan.joins)).encode()).digest()
