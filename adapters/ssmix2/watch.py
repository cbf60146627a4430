"""Watches the drop folder `<data folder>/ssmix2/<institution number>/…` by looking: notifications do not cross a NAS.

What arrived is known by the journal, not here: a folder that changed is read again as a whole, and the journal knows
its files already. A rename (a deletion, in SS-MIX2) changes the folder as well. Content that changes under the same
name is against SS-MIX2 and is not noticed; loading the storage notices it.
"""

import logging
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event

from adapters.admission import Admission
from adapters.ssmix2.arrival import batches, messages, reason
from adapters.ssmix2.walk import Found, content, judged
from fhir_server.context import Context
from fhir_server.outcome import Unavailable

EVERY = 1.0
# Seconds without a change after which a file counts as written; an empty one may be about to be.
SETTLED, SETTLED_EMPTY = 0.9, 60.0
# Seconds: file systems tell times apart no finer, so a folder that has just changed may change again unseen.
COARSE = 3.0
# Older than this, a file is not being written, whatever the clocks of the two machines say.
OLD = 600.0

_NUMBER = re.compile(r"[0-9]{10}")

log = logging.getLogger(__name__)


def run(context: Context, stop: Event) -> None:
    """The watcher as a process: looks every second until `stop` is set."""
    drop = context.config.data_dir / "ssmix2"
    drop.mkdir(parents=True, exist_ok=True)
    watcher = Watcher(drop, context, Admission(context.store.facilities, context.config.open))
    while not stop.is_set():
        try:
            watcher.look(Clock(time.monotonic(), time.time()))
        except Unavailable:
            log.warning("the database does not answer; the drop folder is looked at again")
        stop.wait(EVERY)


@dataclass
class Folder:
    """A folder as it was when last read.

    since  when it was first seen with this time of change
    sent   what the journal has of it: name, size and time of change, while the folder must be read again
    open   it must be read again
    """

    modified: int
    since: float
    folders: list[str] = field(default_factory=list)
    sent: set[tuple[str, int, int]] = field(default_factory=set)
    open: bool = True


@dataclass(frozen=True)
class Clock:
    """The time of one look in seconds: steady, for what passes between looks, and of the calendar, as files have it."""

    steady: float
    calendar: float


@dataclass(frozen=True)
class Watcher:
    """What was seen of the drop folder. Lost with the process, it is found again: the journal takes nothing twice."""

    drop: Path
    context: Context
    admission: Admission
    folders: dict[str, Folder] = field(default_factory=dict)
    growing: dict[str, tuple[int, int, float]] = field(default_factory=dict)

    def look(self, clock: Clock) -> int:
        """Puts what is new and completely written into the journal; returns how many files that were.

        Raises Unavailable; then nothing is missed, look again.
        """
        facilities = [one.name for one in content(str(self.drop)) if one.is_dir(follow_symlinks=False)]
        return sum(self._facility(name, clock) for name in facilities if _NUMBER.fullmatch(name))

    def _facility(self, number: str, clock: Clock) -> int:
        arrived, read = 0, list[Folder]()
        for batch in batches(self._changed(str(self.drop / number), number, clock, read)):
            admitted = self.admission.of_number(number, self.context.now())
            receipts = self.context.store.journal.receive(messages(batch, number, admitted.held, self.context.now()))
            self._sent(batch)
            arrived += sum(not one.duplicate for one in receipts)
        for folder in read:
            folder.open = False
            folder.sent.clear()
        if arrived:
            log.info("%s: %d new files", number, arrived)
        return arrived

    def _sent(self, files: Iterable[Found]) -> None:
        for file in files:
            self.folders[str(file.path.parent)].sent.add(_version(file))
            self.growing.pop(str(file.path), None)

    def _changed(self, path: str, number: str, clock: Clock, read: list[Folder]) -> Iterator[Found]:
        """Yields the new, complete files of all folders that changed; `read` gets those that are then done with."""
        folder = self._folder(path, clock)
        if folder is None:
            return
        if folder.open:
            yield from self._read(path, folder, number, clock, read)
        for inner in folder.folders:
            yield from self._changed(inner, number, clock, read)

    def _folder(self, path: str, clock: Clock) -> Folder | None:
        """The folder as known, open again if it changed; None if it is gone."""
        try:
            modified = Path(path).stat().st_mtime_ns
        except OSError:
            self.folders.pop(path, None)
            return None
        known = self.folders.get(path)
        if known is None or known.modified != modified:
            known = self.folders[path] = Folder(modified, clock.steady, sent=known.sent if known else set())
        return known

    def _read(self, path: str, folder: Folder, number: str, clock: Clock, read: list[Folder]) -> Iterator[Found]:
        entries = content(path)
        folder.folders = [one.path for one in entries if one.is_dir(follow_symlinks=False)]
        limit = self.context.config.message_limit
        files = [judged(one, number, limit) for one in entries if not one.is_dir(follow_symlinks=False)]
        new = [one for one in files if not reason(one) and _version(one) not in folder.sent]
        written = [self._written(one, clock) for one in new]
        yield from (one for one, complete in zip(new, written) if complete)
        if all(written) and (clock.steady - folder.since >= COARSE or _old(folder.modified, clock)):
            read.append(folder)

    def _written(self, file: Found, clock: Clock) -> bool:
        """Whether nobody writes the file any more."""
        if file.size and _old(file.modified, clock):
            return True
        size, modified, since = self.growing.setdefault(str(file.path), (file.size, file.modified, clock.steady))
        if (size, modified) != (file.size, file.modified):
            self.growing[str(file.path)] = (file.size, file.modified, clock.steady)
            return False
        return clock.steady - since >= (SETTLED if file.size else SETTLED_EMPTY)


def _version(file: Found) -> tuple[str, int, int]:
    return (file.path.name, file.size, file.modified)


def _old(modified: int, clock: Clock) -> bool:
    return clock.calendar - modified / 1e9 > OLD
