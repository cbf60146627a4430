"""The answer to a message: MSH, MSA and, for an error, ERR (HL7 v2.5 2.9 and 2.15; table 0008, 0155, 0357).

Original mode (MSH-15 and MSH-16 empty): AA, AE, AR. Enhanced mode: the accept acknowledgement CA, CE, CR as MSH-15
asks. A sender that wants no accept acknowledgement but an application one (MSH-16) gets AA, AE or AR at once: what
was stored is ours. Always ASCII, in the sender's own delimiters, with nothing of the message but its MSH.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from adapters.hl7v2.charset import decode
from adapters.hl7v2.parse import Message, parse
from adapters.hl7v2.unreadable import Unreadable

ERRORS = {
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "104": "Value too long",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "207": "Application internal error",
}
ACKNOWLEDGEMENTS = frozenset({"ACK", "MCF"})

_WANTED = {"AL": "AER", "ER": "ER", "SU": "A", "NE": "", "": ""}
_LONGEST = 250
_NOBODY = parse("MSH|^~\\&|")
_PLACE = re.compile(r"([A-Z][A-Z0-9]{2})(?:\[(\d+)\])?(?:-(\d+))?")


@dataclass(frozen=True)
class Verdict:
    """What is said about a message. `level`: A accepted, E error, R rejected; `code` is of table 0357."""

    level: str
    code: str = ""
    reason: str = ""
    place: str = ""


ACCEPTED = Verdict("A")
UNAVAILABLE = Verdict("R", "207", "The message could not be stored. Send it again.")


def refused(error: Unreadable) -> Verdict:
    """Returns the verdict on a message whose content cannot be read."""
    return Verdict("E", error.code, error.reason, error.place)


def header(raw: bytes) -> Message | None:
    """Returns the MSH segment alone, readable or not as a whole; None where there is none to answer."""
    line = re.split(rb"[\r\n]", raw.lstrip(b"\r\n\xef\xbb\xbf"), maxsplit=1)[0]
    try:
        return parse(_text(line))
    except Unreadable:
        return None


def acknowledge(to: Message | None, verdict: Verdict, now: datetime, control: str) -> bytes:
    """Returns the acknowledgement, unframed; empty where none is wanted. `control` becomes its own MSH-10."""
    to = to or _NOBODY
    msh = to.header
    code = _code(msh[15].text, msh[16].text, verdict.level)
    if not code or to.type in ACKNOWLEDGEMENTS:
        return b""
    separators = msh.separators
    kind = separators.component.join(["ACK", to.event, "ACK"] if to.event and not _old(to.version) else ["ACK"])
    routing = [msh[number].raw for number in (5, 6, 3, 4)]
    fields = [
        "MSH", msh[2].raw, *routing, _time(now), "", kind, control, msh[11].raw or "P", msh[12].raw or "2.5",
    ]
    segments = [fields, ["MSA", code, msh[10].raw, *_message_text(to, verdict)], *_error(to, verdict)]
    return b"".join(_written(segment, separators.field) for segment in segments)


def _code(accept: str, application: str, level: str) -> str:
    """Returns AA, CE, … or "" where this verdict is not to be told."""
    if not accept and not application:
        return "A" + level
    if level in _WANTED.get(accept, ""):
        return "C" + level
    return "A" + level if accept in ("", "NE") and level in _WANTED.get(application, "") else ""


def _error(to: Message, verdict: Verdict) -> list[list[str]]:
    """From 2.5 ERR-2 is the place and ERR-3 the code; before, ERR-1 holds both."""
    if verdict.level == "A":
        return []
    separators = to.header.separators
    name, number, field = _located(verdict.place)
    text = ERRORS[verdict.code]
    if _old(to.version):
        code = separators.subcomponent.join([verdict.code, text, "HL70357"])
        return [["ERR", separators.component.join([name, number, field, code])]]
    place = separators.component.join([name, number, field]).rstrip(separators.component)
    code = separators.component.join([verdict.code, text, "HL70357"])
    return [["ERR", "", place, code, "E", "", "", "", _safe(verdict.reason, to)]]


def _message_text(to: Message, verdict: Verdict) -> list[str]:
    """MSA-3 says it to those who have no ERR-8."""
    return [_safe(verdict.reason, to)] if verdict.reason and _old(to.version) else []


def _located(place: str) -> tuple[str, str, str]:
    found = _PLACE.fullmatch(place)
    return (found[1], found[2] or "1", found[3] or "") if found else ("", "", "")


def _old(version: str) -> bool:
    """Before 2.5; what is no version at all counts as new."""
    return version[:3] in ("2", "2.1", "2.2", "2.3", "2.4")


def _safe(text: str, to: Message) -> str:
    """Our own sentences, should a sender's delimiters occur in them."""
    one = to.header.separators
    delimiters = one.field + one.component + one.repetition + one.escape + one.subcomponent
    return "".join(" " if char in delimiters else char for char in text)


def _written(fields: list[str], separator: str) -> bytes:
    """A segment in printable ASCII: nothing in it can end a frame or a segment."""
    text = separator.join(field[:_LONGEST] for field in fields).rstrip(separator)
    if not (text.isascii() and text.isprintable()):
        text = "".join(char if " " <= char <= "~" else "?" for char in text)
    return text.encode("ascii") + b"\r"


def _time(now: datetime) -> str:
    return now.strftime("%Y%m%d%H%M%S%z")


def _text(line: bytes) -> str:
    try:
        return decode(line)
    except Unreadable:
        return line.decode("latin-1")
