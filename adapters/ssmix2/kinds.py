"""What the kinds of data in standardized storage become: the maps of HL7 v2, and what the file name knows besides.

A file is the whole of its record, never a delta: what an earlier version had and this one lacks is gone. SS-MIX2
標準化ストレージ 仕様書; the kinds that are not in the table are kept where they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import PurePosixPath

from adapters.facility import Facility
from adapters.hl7v2.messages import adt, oul, ppr, rde
from adapters.hl7v2.parse import Message, read
from adapters.hl7v2.segments import pid
from adapters.identity import patient_id
from adapters.record import Entry, Record, Unmappable, When
from adapters.ssmix2.path import DELETED, SUPERSEDED, Key, misplaced, parse

# What Windows tools, MLLP relays and padding leave around a message.
AROUND = b"\x0b\x1c\x1a\x00\r\n "


@dataclass(frozen=True)
class Kind:
    """How files of one kind are read.

    type     of the message in the file (MSH-9.1)
    records  the map of that message
    key      what tells one record of the kind from another of the same patient
    remains  what a deleted record leaves behind, of what its file states
    """

    type: str
    records: Callable[[Message, Facility], list[Record]]
    key: Callable[[Key], tuple[str, ...]]
    remains: Callable[[Sequence[Entry]], Sequence[Entry]] | None = None


def one(key: Key) -> tuple[str, ...]:
    """A patient has one of these."""
    return ()


def ordered(key: Key) -> tuple[str, ...]:
    """By day and order number: an order that moves to another day is deleted there and stated here."""
    return (key.date, key.order)


def inactive(entries: Sequence[Entry]) -> list[Entry]:
    """A patient whose record was deleted stays, inactive: results and orders still speak of him."""
    return [
        replace(entry, resource={**entry.resource, "active": False})
        for entry in entries
        if entry.resource["resourceType"] == "Patient"
    ]


KINDS = {
    "ADT-00": Kind("ADT", adt.to_records, one, inactive),
    "OMP-01": Kind("RDE", partial(rde.to_records, complete=True), ordered),
    "OML-11": Kind("OUL", oul.to_records, ordered),
    "PPR-01": Kind("PPR", ppr.to_records, ordered),
}


def left_alone(key: Key) -> str:
    """Returns why a file is not for the journal, or "": what the storage keeps of former versions, other kinds."""
    if key.kind not in KINDS:
        return "kept, not mapped"
    return "superseded" if key.flag == SUPERSEDED else ""


def to_records(raw: bytes, control: str, facility: Facility, received: datetime) -> list[Record]:
    """Returns the Record of one file; none for what is left alone.

    `control` is the file's name, with its folders where they are known. The version of the record is the time in the
    name, whenever the file was received. Raises Unmappable.
    """
    key = _key(control)
    if left_alone(key):
        return []
    kind = KINDS[key.kind]
    record = Record(
        key="/".join((facility.number, key.kind, patient_id(facility.number, key.patient), *kind.key(key))),
        time=_time(key, facility),
        entries=(),
        source=f"urn:ssmix2:{facility.number}:{key.name}",
        complete=True,
    )
    read_as = _deleted if key.flag == DELETED else _stated
    return [read_as(record, kind, key, raw, facility)]


def _key(control: str) -> Key:
    place = PurePosixPath(control)
    key = parse(place.name)
    if key is None:
        raise Unmappable("This is no file name of a storage.", "file name")
    if misplaced(place, key):
        raise Unmappable("The folders contradict the file name.", "file name")
    return key


def _time(key: Key, facility: Facility) -> datetime:
    try:
        return key.moment(facility.zone)
    except ValueError:
        raise Unmappable("The file name holds no time.", "file name") from None


def _stated(record: Record, kind: Kind, key: Key, raw: bytes, facility: Facility) -> Record:
    """The record with all that the message in the file says."""
    message = read(raw.strip(AROUND), facility.charset)
    if message.type != kind.type:
        raise Unmappable(f"A {key.kind} holds a message of the type {kind.type}.", "MSH-9")
    who = message.first("PID")
    if who is not None and pid.number(who) != key.patient:
        raise Unmappable("The patient is another one than in the file name.", "PID-3")
    found = kind.records(message, facility)
    notes = dict.fromkeys(note for one in found for note in one.notes)
    return replace(record, entries=_distinct(found), notes=tuple(notes))


def _deleted(record: Record, kind: Kind, key: Key, raw: bytes, facility: Facility) -> Record:
    """A deletion needs no more than the name, unless something remains of what the file states."""
    if kind.remains is None:
        return replace(record, withdrawn=True, complete=False)
    stated = _stated(record, kind, key, raw, facility)
    return replace(stated, entries=kind.remains(stated.entries), withdrawn=True)


def _distinct(records: Sequence[Record]) -> tuple[Entry, ...]:
    """Each resource once: what several orders of one file refer to, and a stated resource before a stub."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in sorted((entry for one in records for entry in one.entries), key=lambda each: each.when is When.ABSENT):
        found.setdefault((entry.resource["resourceType"], entry.resource["id"]), entry)
    return tuple(found.values())
