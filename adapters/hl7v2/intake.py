"""A message as it arrived → what goes into the journal, and the acknowledgement.

What has a fault inside (AE) is kept, but waits for a person with the reason and the place. What MSH itself makes
unacceptable (AR), or what is too long, is the sender's to send again, and is not kept. A sender that is not admitted
gets AA: AA means stored safely, as for every message here, and its messages wait until it is.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from adapters.admission import Admitted
from adapters.facility import JST
from adapters.hl7v2.ack import ACCEPTED, ACKNOWLEDGEMENTS, UNAVAILABLE, Verdict, acknowledge, header, refused
from adapters.hl7v2.framer import Frame
from adapters.hl7v2.parse import Message, Unreadable, read
from adapters.hl7v2.segments import pid
from adapters.identity import order_key
from adapters.record import Unmappable
from fhir_server.outcome import FHIRError
from fhir_server.store import journal
from fhir_server.trace import where

FEED = "mllp"
VERSIONS = frozenset("2 2.1 2.2 2.3 2.3.1 2.4 2.5 2.5.1 2.6 2.7 2.7.1 2.8 2.8.1 2.8.2 2.9".split())
LONGEST = 250

Place = tuple[str, int]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arrival:
    """`message`, with its acknowledgement, is for the journal; without one `ack` alone is the answer, b"" for none."""

    message: journal.Message | None
    ack: bytes = b""


@dataclass(frozen=True)
class Intake:
    """The rules by which messages are let in.

    admit     MSH-4 and the time → the facility
    required  (MSH-9.1, MSH-9.2) of all messages that are read here → the fields each must have: `("PID", 3)`
    trial     test messages (MSH-11 T or D) are welcome
    """

    admit: Callable[[str, datetime], Admitted]
    required: Mapping[tuple[str, str], Sequence[Place]]
    trial: bool = False

    def arrival(self, frame: Frame, now: datetime, control: str) -> Arrival:
        """Returns what becomes of a frame; `control` names its acknowledgement."""
        head = header(frame.raw)
        verdict = self._refusal(head, frame)
        if head is None or verdict:
            return Arrival(None, acknowledge(head, verdict or _NO_MSH, now, control))
        if head.type in ACKNOWLEDGEMENTS:
            return Arrival(None)
        admitted = self.admit(head.sender, now)
        message, verdict = self._content(head, frame.raw, admitted)
        return Arrival(
            journal.Message(
                feed=FEED,
                sender=admitted.facility.number,
                control=head.control[:LONGEST],
                raw=frame.raw,
                order=order_key(admitted.facility.number, _patient(message)),
                received=now,
                ack=acknowledge(head, verdict, now, control),
                held=admitted.held,
                parked=None if verdict is ACCEPTED else journal.Parked(verdict.reason, verdict.place),
            )
        )

    def _refusal(self, head: Message | None, frame: Frame) -> Verdict | None:
        """What is not kept: answered from MSH alone."""
        if head is None:
            return _NO_MSH
        if head.version not in VERSIONS:
            return Verdict("R", "203", "This version of HL7 is not read here.", "MSH-12")
        if not self.trial and head.header[11][1] not in ("", "P"):
            return Verdict("R", "202", "Only production messages are read here.", "MSH-11")
        if frame.oversize:
            return Verdict("E", "104" if head.version >= "2.7" else "207", "The message is too long.")
        return self._unsupported(head)

    def _unsupported(self, head: Message) -> Verdict | None:
        if (head.type, head.event) in self.required or head.type in ACKNOWLEDGEMENTS:
            return None
        if any(head.type == one for one, _ in self.required):
            return Verdict("R", "201", "This event is not read here.", "MSH-9")
        return Verdict("R", "200", "This type of message is not read here.", "MSH-9")

    def _content(self, head: Message, raw: bytes, admitted: Admitted) -> tuple[Message, Verdict]:
        """Returns the message as far as it can be read, and what is wrong with it."""
        try:
            message = read(raw, admitted.facility.charset)
        except Unreadable as error:
            return head, refused(error)
        missing = _missing(message, [("MSH", 4), ("MSH", 10), *self.required[head.type, head.event]])
        return message, Verdict("E", "101", "A required field is missing.", missing) if missing else ACCEPTED


def accepting(
    intake: Intake, into: journal.Journal, now: Callable[[], datetime], new_id: Callable[[], str]
) -> Callable[[Sequence[Frame]], list[bytes]]:
    """Returns the function that makes a batch of frames durable and gives their acknowledgements, in order.

    A duplicate gets the acknowledgement of the first; when the journal cannot take them, all get a rejection (207).
    """

    def accept(frames: Sequence[Frame]) -> list[bytes]:
        moment = now().astimezone(JST)
        arrivals = [_arrival(intake, frame, moment, new_id()[:20]) for frame in frames]
        kept = [one.message for one in arrivals if one.message]
        try:
            receipts = iter(into.receive(kept) if kept else ())
        except FHIRError as error:
            log.error("the journal took none of %d messages: %s", len(kept), where(error))
            return [one.ack if one.message is None else _sorry(one.message, moment) for one in arrivals]
        return [next(receipts).ack if one.message else one.ack for one in arrivals]

    return accept


def _arrival(intake: Intake, frame: Frame, now: datetime, control: str) -> Arrival:
    """One message that trips over a fault of ours must not take the others of its batch with it."""
    try:
        return intake.arrival(frame, now, control)
    except Exception as error:
        log.error("a message of %d bytes could not be looked at: %s", len(frame.raw), where(error))
        return Arrival(None, acknowledge(header(frame.raw), _OUR_FAULT, now, control))


def _sorry(message: journal.Message, now: datetime) -> bytes:
    return acknowledge(header(message.raw), UNAVAILABLE, now, message.control[:20])


_OUR_FAULT = Verdict("E", "207", "The message could not be processed here.")
_NO_MSH = Verdict("R", "100", "There is no MSH segment that can be read.")


def _missing(message: Message, required: Sequence[Place]) -> str:
    """Returns the first place that has nothing, or ""."""
    for name, number in required:
        segment = message.first(name)
        if segment is None:
            return name
        if not segment[number].text:
            return f"{name}-{number}"
    return ""


def _patient(message: Message) -> str:
    """The number that also names the patient's resources. Without one, the message stands for itself."""
    patient = message.first("PID")
    try:
        return pid.number(patient) if patient else message.control
    except Unmappable:
        return message.control
