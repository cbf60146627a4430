"""The journal of feeds: what arrived, byte for byte, before it is acknowledged (design D7).

States: received → done | parked (quarantine: waits for a person, with reason and place) ; a retry stays received.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Message:
    """One raw message as it arrived.

    feed      "mllp", "ssmix2", …
    sender    institution number of the facility it came from
    control   what names it at the sender: MSH-10, or the file name
    raw       the exact bytes
    order     messages with the same order key are processed in order of arrival: sender and patient
    received  arrival, with time zone
    ack       the answer sent, replayed for a duplicate
    held      not to be processed yet, with the reason (unknown sender)
    """

    feed: str
    sender: str
    control: str
    raw: bytes
    order: str
    received: datetime
    ack: bytes = b""
    held: str = ""


@dataclass(frozen=True)
class Receipt:
    """Where a message stands: `id` in the journal; a duplicate carries the acknowledgement of the first."""

    id: str
    duplicate: bool
    ack: bytes


@dataclass(frozen=True)
class Parked:
    """Why a message waits for a person. `place` is a segment and field such as `OBX[3]-5`, or ""."""

    reason: str
    place: str = ""


@dataclass(frozen=True)
class Row:
    """A message as the status page shows it."""

    id: str
    feed: str
    sender: str
    control: str
    received: datetime
    state: str
    reason: str
    place: str
    attempts: int


def unique(message: Message) -> tuple[str, str, bytes]:
    """(sender, control, hash of the bytes): the same message twice is one message."""
    raise NotImplementedError


class Journal:
    """Feeds put messages in, workers take them out in order. The only truth about what has arrived."""

    def receive(self, messages: Sequence[Message]) -> list[Receipt]:
        """Stores the messages durably (majority, journaled) in one batch; returns a receipt for each, in order."""
        raise NotImplementedError
