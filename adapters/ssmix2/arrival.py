"""Files of a storage → messages of the journal."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from stat import S_ISREG

from adapters.identity import order_key
from adapters.ssmix2.kinds import left_alone
from adapters.ssmix2.path import control, storage
from adapters.ssmix2.walk import FOREIGN, NOT_REGULAR, TOO_LARGE, Found, opened, why
from fhir_server.store.journal import Message, Parked

FEED = "ssmix2"
# Messages, and bytes of them, that go into the journal at once.
BATCH, BATCH_BYTES = 200, 8 * 1024 * 1024

# What waits for a person without its bytes.
_PARKED = {
    TOO_LARGE: Parked("The file is too large."),
    FOREIGN: Parked("The storage of another facility lies in the folder of this one.", "file name"),
}


@dataclass(frozen=True)
class Reading:
    """What came of some files: a message for each that is `read`, in order; `unread` with the reason in each."""

    read: tuple[Found, ...]
    messages: tuple[Message, ...]
    unread: tuple[tuple[Found, str], ...]


def reason(file: Found) -> str:
    """Returns why a file is not for the journal, or "". One that is too large is, but without its bytes."""
    if file.odd == TOO_LARGE:
        return ""
    return file.unread or file.odd or (left_alone(file.key) if file.key else "")


def batches(files: Iterable[Found]) -> Iterator[list[Found]]:
    """Yields the files in order, in portions that fit into memory."""
    batch, size = list[Found](), 0
    for file in files:
        if len(batch) == BATCH or batch and size + file.size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
        batch.append(file)
        size += file.size
    if batch:
        yield batch


def read(files: Iterable[Found], facility: str, held: str, now: datetime) -> Reading:
    """Reads the files. One that vanished meanwhile was renamed: it comes under its new name."""
    messages, unread = dict[Found, Message](), list[tuple[Found, str]]()
    for file in files:
        try:
            messages[file] = _message(file, facility, held, now)
        except OSError as error:
            unread.append((file, why(error)))
    return Reading(tuple(messages), tuple(messages.values()), tuple(unread))


def _message(file: Found, facility: str, held: str, now: datetime) -> Message:
    if file.odd:
        # One row tells of a whole storage of another facility.
        name = storage(file.path) if file.odd == FOREIGN else control(file.path)
        return Message(FEED, facility, name, b"", facility, now, parked=_PARKED[file.odd])
    patient = file.key.patient if file.key else ""
    order = order_key(facility, patient)
    return Message(FEED, facility, control(file.path), _content(file), order, now, held=held, stands=True)


def _content(file: Found) -> bytes:
    """The bytes of the file. Raises OSError, also where it is no longer the file that was found."""
    with opened(file.path) as descriptor:
        if not S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, NOT_REGULAR)
        with open(descriptor, "rb", closefd=False) as content:
            raw = content.read(file.size + 1)
        state = os.fstat(descriptor)
    if (len(raw), state.st_size, state.st_mtime_ns) != (file.size, file.size, file.modified):
        raise OSError(0, "written meanwhile")
    return raw
