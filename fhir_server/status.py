"""The state of a network server at one moment: what is stored, what arrived, what waits for a person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fhir_server.outcome import Unavailable
from fhir_server.store.journal import Count, Row
from fhir_server.store.queue import DONE, HELD, PARKED, RECEIVED
from fhir_server.store.reindex import Progress
from fhir_server.store.store import Store

# The parts of a running server; ready when each of these has signed lately.
PARTS = ("web", "mllp", "watch", "worker")
NEEDED = ("mllp", "worker")
_ROWS, _FEW = 50, 10


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
class Building:
    """A resource type that is being indexed anew; until it is done, `codes` cannot be searched by.

    progress  None: it is about to begin
    """

    type: str
    codes: Sequence[str]
    progress: Progress | None


@dataclass(frozen=True)
class Status:
    """What the page and the command `status` show.

    stored   number of resources by type
    parts    how many of each part have signed lately
    waiting  the newest messages that are held or wait for a worker
    parked   the newest messages in quarantine
    building  what is being indexed anew
    """

    now: datetime
    stored: Mapping[str, int]
    parts: Mapping[str, int]
    feeds: Sequence[Feed]
    waiting: Sequence[Row]
    parked: Sequence[Row]
    building: Sequence[Building] = ()


def read(store: Store, now: datetime) -> Status:
    """Returns the status. Raises Unavailable when the database is."""
    running = store.heartbeats.parts(now)
    return Status(
        now=now,
        stored=store.counts(),
        parts={part: running.get(part, 0) for part in PARTS},
        feeds=feeds(store.journal.counts()),
        waiting=[*store.journal.rows(HELD, _ROWS), *store.journal.rows(RECEIVED, _FEW)],
        parked=store.journal.rows(PARKED, _ROWS),
        building=building(store),
    )


def building(store: Store) -> list[Building]:
    """Returns the types that are being indexed anew, by name."""
    codes, progress = store.parameters.read().building, {one.type: one for one in store.reindex.progress()}
    return [Building(one, codes.get(one, ()), progress.get(one)) for one in sorted({*codes, *progress})]


def feeds(counts: Sequence[Count]) -> list[Feed]:
    """Returns one line for each feed from the journal's counts."""
    by_feed = {name: [one for one in counts if one.feed == name] for name in sorted({one.feed for one in counts})}
    return [_feed(name, {one.state: one.number for one in rows}, rows) for name, rows in by_feed.items()]


def ready(store: Store, now: datetime) -> dict[str, bool]:
    """Returns whether the database, and each part that feeds need, is at work."""
    if not store.ready():
        return {"database": False, **dict.fromkeys(NEEDED, False)}
    try:
        running = store.heartbeats.parts(now)
    except Unavailable:
        return {"database": False, **dict.fromkeys(NEEDED, False)}
    return {"database": True, **{part: bool(running.get(part)) for part in NEEDED}}


def _feed(name: str, numbers: Mapping[str, int], rows: Sequence[Count]) -> Feed:
    return Feed(
        name=name,
        done=numbers.get(DONE, 0),
        waiting=numbers.get(RECEIVED, 0),
        held=numbers.get(HELD, 0),
        parked=numbers.get(PARKED, 0),
        last=max(one.last for one in rows),
    )
