"""Pieces of messages as literals."""

from adapters.facility import Facility
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Message, Repetition, Segment, Separators, parse

FACILITY = Facility("1119999991", "埼東中央病院", ("SAITO",))


def repetition(raw: str) -> Repetition:
    return Repetition(raw, Separators())


def scope() -> Scope:
    return Scope(FACILITY, FACILITY.zone)


def message(*segments: str, kind: str = "ADT^A08") -> Message:
    return parse("\r".join((f"MSH|^~\\&|HIS|SAITO|||20240603101500||{kind}|M1|P|2.5", *segments)))


def segment(raw: str) -> Segment:
    return message(raw).segments[1]


def noted(within: Scope) -> list[tuple[str, str]]:
    return [(one.place, one.text) for one in within.notes]
