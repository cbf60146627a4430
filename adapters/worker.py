"""The worker: what the journal holds → Records by the feed's maps → `deliver`; what cannot be mapped is parked."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib import import_module
from itertools import groupby

from adapters.admission import Admission, release
from adapters.deliver import deliver
from adapters.facility import Facility
from adapters.hl7v2.ack import header
from adapters.record import Note, Record, Unmappable
from fhir_server import reindex
from fhir_server.context import Context
from fhir_server.outcome import Unavailable
from fhir_server.store.journal import Entry, Hold, Park

ToRecords = Callable[[bytes, str, Facility, datetime], list[Record]]


@dataclass(frozen=True)
class Feed:
    """`maps` is `to_records(raw, control, facility, received)`; `time` where a message says when it was made."""

    maps: str
    time: str


FEEDS = {
    "mllp": Feed("adapters.hl7v2.messages:to_records", "MSH-7"),
    "ssmix2": Feed("adapters.ssmix2.kinds:to_records", "file name"),
}
# What clocks of senders may be ahead of ours.
AHEAD = timedelta(days=1)
# Seconds between two looks for held messages of facilities that are admitted by now.
RELEASE = 5.0

log = logging.getLogger(__name__)


def run(context: Context, stop: threading.Event) -> None:
    """The worker as a process: handles messages until `stop` is set."""
    beside = [threading.Thread(target=work, args=(context, stop), name=name, daemon=True) for name, work in BESIDE]
    for one in beside:
        one.start()
    # Host and process id may be those of another worker, in another container.
    owner = f"{socket.gethostname()}:{os.getpid()}:{context.new_id()}"
    context.store.journal.work(owner, Worker(context, Admission(context.store.facilities, context.config.open)), stop)
    for one in beside:
        one.join()


@dataclass(frozen=True)
class Worker:
    """Handles journal entries: all of them take effect, or it raises. Park is for a person, all else is tried again."""

    context: Context
    admission: Admission

    def __call__(self, entries: Sequence[Entry]) -> None:
        mapped = [(self._facility(entry), entry) for entry in entries]
        for facility, group in groupby(mapped, key=lambda one: one[0]):
            records = [record for _, entry in group for record in _records(entry, facility)]
            deliver(records, facility, self.context.current)
        log.info("%d messages handled", len(entries))

    def _facility(self, entry: Entry) -> Facility:
        """An HL7 v2 message may have been held under a provisional number: its MSH-4 says whose it is by now."""
        now = self.context.now()
        head = header(entry.raw) if entry.feed == "mllp" else None
        admitted = self.admission.of_sender(head.sender, now) if head else self.admission.of_number(entry.sender, now)
        if admitted.held:
            raise Hold(admitted.held, "MSH-4" if head else "", admitted.facility.number)
        return admitted.facility


def _release(context: Context, stop: threading.Event) -> None:
    while not stop.is_set():
        with suppress(Unavailable):
            if released := release(context.store):
                log.info("%d held messages let go", released)
        stop.wait(RELEASE)


# What a worker does besides, each in a thread of its own.
BESIDE = (("release", _release), ("reindex", reindex.run))


def _records(entry: Entry, facility: Facility) -> list[Record]:
    try:
        found = _to_records(entry.feed)(entry.raw, entry.control, facility, entry.received)
    except Unmappable as error:
        raise Park(error.reason, error.place) from error
    return [_believed(one, entry) for one in found]


def _believed(record: Record, entry: Entry) -> Record:
    """A time that is far ahead would keep out all that comes until then."""
    if record.time <= entry.received + AHEAD:
        return record
    note = Note(FEEDS[entry.feed].time, "This is later than the message arrived, and counts as the time it arrived.")
    return replace(record, time=entry.received, notes=(*record.notes, note))


def _to_records(feed: str) -> ToRecords:
    module, _, name = FEEDS[feed].maps.partition(":")
    function: ToRecords = getattr(import_module(module), name)
    return function
