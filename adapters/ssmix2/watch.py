"""Watches the drop folder `<data folder>/ssmix2/<institution number>/…` by looking: notifications do not cross a NAS.

What arrived is known by the journal, not here: the journal takes nothing twice. A rename (a deletion, in SS-MIX2) is a
new name, and content that changes under the same name has another size or time. docs/decisions/watching-storages.md
says what is looked at when, and what is remembered.
"""

import logging
import os
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from adapters.admission import Admission
from adapters.ssmix2.arrival import Reading, batches, read, reason
from adapters.ssmix2.walk import FOREIGN, VANISHED, Found, Listing, folders, listed, order
from fhir_server.context import Context
from fhir_server.outcome import Unavailable
from fhir_server.store.folder import drop_folder
from fhir_server.store.journal import Receipt

EVERY = 1.0
# Seconds without a change after which a file counts as written; an empty one may be about to be.
SETTLED, SETTLED_EMPTY = 0.9, 60.0
# Older than this, a file is not being written, whatever the clocks of the two machines say.
OLD = 600.0
# The first round takes files of the last week only: news must not wait behind an archive.
YOUNG = 7 * 86400.0
# Folders, and files in them, whose turn it is in one look; folders that are looked into every time besides.
FOLDERS, FILES, RECENT = 5_000, 2_000, 1_000
# Files that are remembered as arrived (80 bytes each; what is beyond is read again each round), as growing, as paused.
REMEMBERED, GROWING, PAUSED = 2_000_000, 20_000, 10_000
# Seconds before what could not be read is tried again: from the first to the second.
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0

_NUMBER = re.compile(r"[0-9]{10}")

log = logging.getLogger(__name__)


def run(context: Context, stop: Event) -> None:
    """The watcher as a process: looks every second until `stop` is set."""
    drop = drop_folder(context.config.data_dir)
    watcher = Watcher(drop, context, Admission(context.store.facilities, context.config.open))
    while not stop.is_set():
        try:
            watcher.look(Clock(time.monotonic(), time.time()))
        except Unavailable:
            log.warning("the database does not answer; the drop folder is looked at again")
        stop.wait(EVERY)


@dataclass(frozen=True)
class Clock:
    """The time of one look in seconds: steady, for what passes between looks, and of the calendar, as files have it."""

    steady: float
    calendar: float


@dataclass(frozen=True)
class Pause:
    """How long something unreadable is left alone, in seconds of the steady clock."""

    until: float
    length: float


@dataclass
class Storage:
    """What was seen of the folder of one facility.

    arrived  versions of files that the journal has, of all facilities
    growing  size, time of change and when it was first seen with these, by path
    recent   the folders where something arrived last, the latest at the end, with the folders in them
    pauses   what cannot be read, by path
    failed   why something could not be read, since it was last told
    ahead    what is left of the round through all folders, the `rounds`-th, which began at `begun`
    taken    files met in this look that are new
    """

    path: str
    number: str
    limit: int
    arrived: set[int]
    growing: dict[str, tuple[int, int, float]] = field(default_factory=dict)
    recent: dict[str, frozenset[str] | None] = field(default_factory=dict)
    pauses: dict[str, Pause] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    ahead: Iterator[Listing] = iter(())
    rounds: int = 0
    begun: float = 0.0
    taken: int = 0
    clock: Clock = Clock(0.0, 0.0)

    def look(self, clock: Clock) -> Iterator[list[Found]]:
        """Yields what is new and completely written, in portions: where something arrived last, then the next folders.

        Each portion is to be answered with `took` before the next one.
        """
        self.clock, self.taken = clock, 0
        for listings in (self._recent(), self._next()):
            yield from batches(file for one in listings for file in self._complete(one))

    def took(self, reading: Reading, receipts: Iterable[Receipt]) -> None:
        """Remembers what the journal has now; all else is looked at again."""
        for file, receipt in zip(reading.read, receipts):
            if len(self.arrived) < REMEMBERED:
                self.arrived.add(_version(file))
            self.growing.pop(str(file.path), None)
            self.pauses.pop(str(file.path), None)
            if not receipt.duplicate:
                # The folders of the kind, of the day and of the patient, where more is to be expected.
                self._expect(str(folder) for folder in reversed(file.path.parents[:3]))
        for file, why in reading.unread:
            self._pause(str(file.path), why)

    def _recent(self) -> Iterator[Listing]:
        """The folders where something arrived last, the latest first, and all that is new in them."""
        for path, before in reversed(list(self.recent.items())):
            if self._paused(path):
                continue
            listing = listed(path, self.number, self.limit)
            yield listing
            if listing.unread == VANISHED:
                self.recent.pop(path, None)
            if listing.unread:
                continue
            for new in sorted(set(listing.folders) - before) if before is not None else ():
                yield from folders(new, self.number, self.limit, self._paused)
            if path in self.recent:
                self.recent[path] = frozenset(listing.folders)

    def _next(self) -> Iterator[Listing]:
        """The folders whose turn it is, at most to the end of a round; the first round is followed by a full one."""
        for _ in range(FOLDERS):
            if self.taken >= FILES:
                return
            listing = next(self.ahead, None)
            if listing:
                yield listing
                continue
            self._begin()
            if self.rounds > 2:
                return

    def _begin(self) -> None:
        """Begins a round and forgets what was not seen in the last one."""
        steady = self.clock.steady
        self.growing = {path: one for path, one in self.growing.items() if one[2] >= self.begun - SETTLED_EMPTY}
        self.pauses = {path: one for path, one in self.pauses.items() if one.until >= self.begun - LAST_PAUSE}
        self.ahead = folders(self.path, self.number, self.limit, self._paused)
        self.rounds, self.begun = self.rounds + 1, steady

    def _complete(self, listing: Listing) -> Iterator[Found]:
        """The files of a folder that are new and written to their end."""
        if listing.unread:
            return self._pause(listing.path, listing.unread)
        self.pauses.pop(listing.path, None)
        new = [file for file in listing.files if self._is_new(file)]
        self.taken += len(new)
        for file in sorted(new, key=order):
            if self._written(file):
                yield file
            else:
                self._expect([listing.path])

    def _is_new(self, file: Found) -> bool:
        if file.unread:
            self._pause(str(file.path), file.unread)
        if reason(file) and file.odd != FOREIGN or _version(file) in self.arrived or self._paused(str(file.path)):
            return False
        return self.rounds > 1 or self._age(file) <= YOUNG

    def _written(self, file: Found) -> bool:
        """Whether nobody writes the file any more."""
        if file.size and self._age(file) > OLD:
            return True
        path, steady = str(file.path), self.clock.steady
        before = self.growing.get(path)
        if before is None or before[:2] != (file.size, file.modified):
            if before or len(self.growing) < GROWING:
                self.growing[path] = (file.size, file.modified, steady)
            return False
        return steady - before[2] >= (SETTLED if file.size else SETTLED_EMPTY)

    def _age(self, file: Found) -> float:
        return self.clock.calendar - file.modified / 1e9

    def _expect(self, paths: Iterable[str]) -> None:
        """More may come there soon."""
        for path in paths:
            if path.startswith(self.path):
                self.recent[path] = self.recent.pop(path, None)
        while len(self.recent) > RECENT:
            del self.recent[next(iter(self.recent))]

    def _paused(self, path: str) -> bool:
        pause = self.pauses.get(path)
        return pause is not None and pause.until > self.clock.steady

    def _pause(self, path: str, why: str) -> None:
        """Leaves alone for a while what cannot be read: what is there is unknown. What vanished has another name."""
        before = self.pauses.get(path)
        if why == VANISHED or before is None and len(self.pauses) >= PAUSED:
            return
        length = min(2 * before.length, LAST_PAUSE) if before else FIRST_PAUSE
        self.pauses[path] = Pause(self.clock.steady + length, length)
        if before is None:
            self.failed[why] += 1


@dataclass(frozen=True)
class Watcher:
    """The drop folder. What was seen of it is lost with the process and found again."""

    drop: Path
    context: Context
    admission: Admission
    arrived: set[int] = field(default_factory=set)
    storages: dict[str, Storage] = field(default_factory=dict)

    def look(self, clock: Clock) -> int:
        """Puts what is new and completely written into the journal; returns how many files that were.

        Raises Unavailable; then nothing is missed, look again.
        """
        listing = listed(os.path.realpath(self.drop), "", 0)
        if listing.unread:
            log.warning("the drop folder cannot be read: %s", listing.unread)
        for path in listing.folders:
            number = os.path.basename(path)
            if _NUMBER.fullmatch(number) and number not in self.storages:
                self.storages[number] = Storage(path, number, self.context.config.message_limit, self.arrived)
        return sum(self._look(one, clock) for one in self.storages.values())

    def _look(self, storage: Storage, clock: Clock) -> int:
        arrived = 0
        for batch in storage.look(clock):
            now = self.context.now()
            admitted = self.admission.of_number(storage.number, now)
            reading = read(batch, storage.number, admitted.held, now)
            receipts = self.context.store.journal.receive(reading.messages)
            storage.took(reading, receipts)
            arrived += sum(not one.duplicate for one in receipts)
        if arrived:
            log.info("%s: %d new files", storage.number, arrived)
        for why, number in storage.failed.items():
            log.warning("%s: %d files or folders cannot be read and are tried again: %s", storage.number, number, why)
        storage.failed.clear()
        return arrived


def _version(file: Found) -> int:
    """What tells this content of the file from others, in 8 bytes; hashes of text differ from process to process."""
    return hash((str(file.path), file.size, file.modified))
