"""Files of a storage → messages of the journal."""

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from adapters.identity import order_key
from adapters.ssmix2.kinds import left_alone
from adapters.ssmix2.path import control
from adapters.ssmix2.walk import Found
from fhir_server.store.journal import Message

FEED = "ssmix2"
# Messages, and bytes of them, that go into the journal at once.
BATCH, BATCH_BYTES = 200, 8 * 1024 * 1024

log = logging.getLogger(__name__)


def reason(file: Found) -> str:
    """Returns why a file is not for the journal, or ""."""
    return file.odd if file.key is None else left_alone(file.key)


def batches(files: Iterable[Found]) -> Iterator[list[Found]]:
    """Yields the files that are for the journal, in order, in portions that fit into memory."""
    batch: list[Found] = []
    for file in files:
        if reason(file):
            continue
        if len(batch) == BATCH or batch and sum(one.size for one in batch) + file.size > BATCH_BYTES:
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def messages(files: Iterable[Found], facility: str, held: str, now: datetime) -> list[Message]:
    """Reads the files. One that vanished meanwhile was renamed: it comes under its new name."""
    read = ((file, _content(file)) for file in files)
    return [_message(file, raw, facility, held, now) for file, raw in read if raw is not None]


def _message(file: Found, raw: bytes, facility: str, held: str, now: datetime) -> Message:
    patient = file.key.patient if file.key else ""
    order = order_key(facility, patient)
    return Message(FEED, facility, control(file.path), raw, order, now, held=held, stands=True)


def _content(file: Found) -> bytes | None:
    try:
        return Path(file.path).read_bytes()
    except OSError as error:
        log.warning("a file of the storage cannot be read: %s", error.strerror)
        return None
