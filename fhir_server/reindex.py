"""Reindexing: what is stored follows the search parameters, in the background, while everything goes on.

Every worker looks for documents whose search values were made with other parameters; of each type one worker renews
them, in batches, as fast as half its time allows. Where it dies another goes on.
"""

import logging
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from threading import Event
from time import monotonic

from fhir_server.context import Context
from fhir_server.fhirjson import decode
from fhir_server.outcome import FHIRError, Unavailable
from fhir_server.parameters import LATE, follow
from fhir_server.store.document import Version
from fhir_server.store.reindex import Progress
from fhir_server.trace import where

BATCH = 200
# Seconds: between two looks for a new set; between two looks at all types; until all processes know a set, and what
# they began with the one before is written.
LOOK, SWEEP, SETTLE = 1.0, 5.0, LATE + 2.0
# So many that cannot be indexed end the attempt; the next one begins after a minute.
FAULTS, RETRY = 100, 60.0

log = logging.getLogger(__name__)


def run(context: Context, stop: Event) -> None:
    """Keeps the index as the search parameters are until `stop` is set."""
    work = Reindexer(context, stop)
    while not stop.is_set():
        try:
            work.step()
        except Unavailable:
            log.warning("reindex: the database does not answer; looking again")
        except Exception as error:
            log.error("reindex failed: %s", where(error))
        stop.wait(LOOK)


@dataclass
class Reindexer:
    """One worker's share.

    settle  seconds a set must be known before anything is renewed as it says
    pause   rest after each batch, as a multiple of what it took
    """

    context: Context
    stop: Event = field(default_factory=Event)
    settle: float = SETTLE
    pause: float = 1.0
    owner: str = ""
    _swept: float = 0.0
    _again: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Host and process id may be those of another worker, in another container.
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{self.context.new_id()}"

    def step(self) -> None:
        """Publishes what SearchParameter resources say, and renews what is out of date."""
        store = self.context.store
        follow(store, self.context.definitions.standard)
        known, now = self.context.parameters.at_once(), monotonic()
        if now - known.since < self.settle:
            return
        swept, self._swept = self._swept, now if now - self._swept >= SWEEP else self._swept
        sweeping = swept != self._swept
        stored = store.reindex.types() if sweeping or known.set.building else []
        for type_ in {*known.set.building, *(stored if sweeping else ())} - known.foreign:
            if self.stop.is_set() or self._again.get(type_, 0.0) > now:
                continue
            if (type_ not in stored or self.renew(type_)) and type_ in known.set.building:
                store.parameters.complete(known.set.published, type_)

    def renew(self, type_: str) -> bool:
        """Renews a type, unless another worker is at it; tells whether nothing is left to renew."""
        store, hash_ = self.context.store, self.context.current.index.hash(type_)
        if not store.reindex.outdated(type_, hash_, 1):
            return True
        progress = store.reindex.lease(type_, self.owner, hash_)
        if progress is None:
            return False
        ended = False
        try:
            ended = self._renewed(progress, hash_)
        finally:
            store.reindex.release(type_, self.owner, ended)
        return ended

    def _renewed(self, before: Progress, hash_: str) -> bool:
        """Renews batch after batch; tells whether nothing is left."""
        store, type_ = self.context.store, before.type
        left = store.reindex.count(type_, hash_)
        # After a restart what was done still is.
        progress = replace(before, of=before.of or left, done=max((before.of or left) - left, 0), failed=())
        start, first = monotonic(), progress.done
        while batch := store.reindex.outdated(type_, hash_, BATCH, progress.failed):
            began, current = monotonic(), self.context.current
            if self.stop.is_set() or current.index.hash(type_) != hash_ or len(progress.failed) >= FAULTS:
                return False
            failed = _renew(batch, current)
            done = progress.done + len(batch) - len(failed)
            rate = (done - first) / max(monotonic() - start, 0.001)
            progress = replace(progress, done=done, rate=rate, failed=(*progress.failed, *failed))
            if not store.reindex.report(self.owner, progress):
                return False
            self.stop.wait((monotonic() - began) * self.pause)
        if progress.failed:
            self._again[type_] = monotonic() + RETRY
        return not progress.failed


def _renew(batch: Sequence[Version], context: Context) -> list[str]:
    """Renews what can be; returns the ids of the others."""
    renewed: list[Version] = []
    failed: list[str] = []
    for one in batch:
        try:
            renewed.append(replace(one, values=context.index.values(decode(one.raw), one.updated)))
        except FHIRError as error:
            log.error("reindex: %s/%s cannot be indexed: %s", one.type, one.id, error)
            failed.append(one.id)
        except Exception as error:
            log.error("reindex: %s/%s cannot be indexed: %s", one.type, one.id, where(error))
            failed.append(one.id)
    context.store.reindex.renew(batch[0].type, renewed)
    return failed
