"""The state of a network server at one moment: what is stored, what arrived, what waits for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_server.store.journal import Row
from fhir_server.store.store import Store

# The parts of a running server; ready when each of these has signed lately.
PARTS = ("web", "mllp", "watch", "worker")
NEEDED = ("mllp", "worker")
_ROWS = 50


@dataclass(frozen=True)
class Feed:
    """How many messages of one feed are done, waiting for a worker, held (unknown sender) or parked (quarantine)."""

    name: str
    done: int
    waiting: int
    held: int
    parked: int
    last: datetime | None


@dataclass(frozen=True)
class Status:
    """What the page and the command `status` show. `parts` says how many of each part run; rows are the newest."""

    now: datetime
    stored: Mapping[str, int]
    parts: Mapping[str, int]
    feeds: Sequence[Feed]
    waiting: Sequence[Row]
    parked: Sequence[Row]


def read(store: Store, now: datetime) -> Status:
    """Returns the status. Raises Unavailable when the database is."""
    raise NotImplementedError


def ready(store: Store, now: datetime) -> Mapping[str, bool]:
    """Returns whether the database, and each part that feeds need, is at work."""
    raise NotImplementedError
