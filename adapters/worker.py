"""The worker: what the journal holds → Records by the feed's maps → `deliver`; what cannot be mapped is parked."""

import logging
import os
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from itertools import groupby

from adapters.admission import Admission
from adapters.deliver import deliver
from adapters.facility import Facility
from adapters.hl7v2.ack import header
from adapters.record import Record, Unmappable
from fhir_server.context import Context
from fhir_server.store.journal import Entry
from fhir_server.store.queue import Park

ToRecords = Callable[[bytes, str, Facility, datetime], list[Record]]

# Feed → its maps: `to_records(raw, control, facility, received)`.
FEEDS = {
    "mllp": "adapters.hl7v2.messages:to_records",
    "ssmix2": "adapters.ssmix2.kinds:to_records",
}

log = logging.getLogger(__name__)


def run(context: Context, stop: threading.Event) -> None:
    """The worker as a process: handles messages until `stop` is set."""
    owner = f"{socket.gethostname()}:{os.getpid()}"
    context.store.journal.work(owner, Worker(context, Admission(context.store.facilities, context.config.open)), stop)


@dataclass(frozen=True)
class Worker:
    """Handles journal entries: all of them take effect, or it raises. Park is for a person, all else is tried again."""

    context: Context
    admission: Admission

    def __call__(self, entries: Sequence[Entry]) -> None:
        mapped = [(self._facility(entry), entry) for entry in entries]
        for facility, group in groupby(mapped, key=lambda one: one[0]):
            records = [record for _, entry in group for record in _records(entry, facility)]
            deliver(records, facility, self.context)
        log.info("%d messages handled", len(entries))

    def _facility(self, entry: Entry) -> Facility:
        """An HL7 v2 message may have been held under a provisional number: its MSH-4 says whose it is by now."""
        now = self.context.now()
        head = header(entry.raw) if entry.feed == "mllp" else None
        admitted = self.admission.of_sender(head.sender, now) if head else self.admission.of_number(entry.sender, now)
        if admitted.held:
            raise Park(admitted.held, "MSH-4" if head else "")
        return admitted.facility


def _records(entry: Entry, facility: Facility) -> list[Record]:
    try:
        return _to_records(entry.feed)(entry.raw, entry.control, facility, entry.received)
    except Unmappable as error:
        raise Park(error.reason, error.place) from error


def _to_records(feed: str) -> ToRecords:
    module, _, name = FEEDS[feed].partition(":")
    function: ToRecords = getattr(import_module(module), name)
    return function
