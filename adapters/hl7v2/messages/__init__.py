"""Which message becomes which resources: the one table, and the way in."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from adapters.facility import Facility
from adapters.hl7v2.messages import adt, oru, oul, ppr, rde
from adapters.hl7v2.messages.statement import UNDATED
from adapters.hl7v2.parse import Message, read
from adapters.record import Record, Unmappable

MESSAGES: dict[tuple[str, str], Callable[[Message, Facility], list[Record]]] = {
    ("ADT", "A01"): adt.to_records,
    ("ADT", "A03"): adt.to_records,
    ("ADT", "A04"): adt.to_records,
    ("ADT", "A08"): adt.to_records,
    ("ORU", "R01"): oru.to_records,
    ("OUL", "R22"): oul.to_records,
    ("RDE", "O11"): rde.to_records,
    ("RDE", "O25"): rde.to_records,
    ("PPR", "ZD1"): ppr.to_records,
    ("PPR", "PC1"): ppr.to_records,
    ("PPR", "PC2"): ppr.to_records,
    ("PPR", "PC3"): ppr.to_records,
}

# By message type the fields without which no map can do: what an acknowledgement may demand at once.
REQUIRED: dict[str, tuple[tuple[str, int], ...]] = {
    "ADT": (("PID", 3),),
    "ORU": (("PID", 3),),
    "OUL": (("PID", 3),),
    "RDE": (("PID", 3), ("RXE", 2)),
    "PPR": (("PID", 3), ("PRB", 3)),
}


def supported(message: Message) -> bool:
    """Returns whether there is a map for the type and event of the message."""
    return (message.type, message.event) in MESSAGES


def to_records(raw: bytes, control: str, facility: Facility, received: datetime) -> list[Record]:
    """Returns what a message states. `control` is its name in the journal; `received` dates one that states no time.

    Raises Unreadable for what is no message, Unmappable for one without a map or without what its map needs.
    """
    message = read(raw, facility.charset)
    map_ = MESSAGES.get((message.type, message.event))
    if map_ is None:
        raise Unmappable(f"There is no map for {message.type}^{message.event}.", "MSH-9")
    return [replace(one, time=received) if one.time == UNDATED else one for one in map_(message, facility)]
