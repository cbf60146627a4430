"""What a message says, as resources and how they meet what is stored. Made by pure maps, sent by `deliver`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from fhir_server.fhirjson import Resource


class When(Enum):
    """How a resource meets the stored one of the same id.

    NEWER   takes its place unless the stored one came from a message with a later time
    ABSENT  is written only where nothing is stored: a stub from a message that does not own the resource
    MERGED  is joined with the stored one by the rule in `adapters.merge.MERGE` (one stay from eight event kinds)
    """

    NEWER = "newer"
    ABSENT = "absent"
    MERGED = "merged"


@dataclass(frozen=True)
class Entry:
    """One resource of a record; its `id` is derived from business identifiers, so twice is once.

    owned  a later version of a complete record that lacks it withdraws it; else the record only adds to it
    """

    resource: Resource
    when: When = When.NEWER
    owned: bool = True


@dataclass(frozen=True)
class Note:
    """What a map could not carry over, with its place (`PV1-36`): counted and kept with the message, never silent."""

    place: str
    text: str


@dataclass(frozen=True)
class Record:
    """Everything one message or file states.

    key       the business record that a later version replaces: `1119999991/OMP-01/0000100001/000000024040101`
    time      the message's own time, with zone; the newer one wins
    entries   the resources, in any order; references among them use their final ids (`Patient/…`)
    complete  the record is whole: what an earlier version had and this one lacks is withdrawn
    withdrawn the record itself was deleted (SS-MIX2 flag 0): all is withdrawn but what `entries` still state
    source    what `Provenance.entity` names: `urn:ssmix2:<facility>:<file name>` or `urn:hl7v2:<facility>:<MSH-10>`
    notes     what could not be mapped
    """

    key: str
    time: datetime
    entries: Sequence[Entry]
    source: str
    complete: bool = False
    withdrawn: bool = False
    notes: Sequence[Note] = ()


class Unmappable(Exception):
    """A message that cannot become resources. `place` is where: `PID-3`, `OBX[2]-5`, or the segment that is missing."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{place}: {reason}" if place else reason)
        self.reason, self.place = reason, place
