"""Deep validation with hl7apy, off the hot path: some 10 laboratory results or 25 admissions a second and core.

hl7apy drops segments silently, knows only some versions and is slow with repetitions; so each call is guarded, and
what it says is a warning, never a reason to refuse.
"""

import logging

from hl7apy import SUPPORTED_LIBRARIES
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from adapters.hl7v2.parse import Message

FALLBACK = "2.5"
SEGMENTS, LENGTH, REPETITIONS = 500, 256 * 1024, 200
WARNINGS = 50

log = logging.getLogger(__name__)


def warnings(message: Message) -> list[str]:
    """Returns what hl7apy finds wrong, at most WARNINGS sentences. They name places and may quote values."""
    text = _text(message)
    size = len(message.segments), len(text), text.count(message.header.separators.repetition)
    if any(one > limit for one, limit in zip(size, (SEGMENTS, LENGTH, REPETITIONS))):
        return ["The message is too large to be validated in depth."]
    try:
        return _found(text, len(message.segments))[:WARNINGS]
    except Exception as error:
        log.info("hl7apy raised %s", type(error).__name__)
        return [f"hl7apy cannot read the message: {type(error).__name__}."]


def _found(text: str, segments: int) -> list[str]:
    parsed = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True)
    kept = parsed.to_er7().strip("\r").count("\r") + 1
    lost = [f"{segments - kept} segments do not stand where the structure has them."] if kept < segments else []
    return lost + _report(parsed)


def _report(parsed: object) -> list[str]:
    faults: list[str] = []
    try:
        Validator.validate(parsed)
    except Exception as error:
        faults.append(str(error))
    return faults


def _text(message: Message) -> str:
    """The message with CR between segments, in a version and a structure that hl7apy knows."""
    header = list(message.header.fields)
    header[12] = message.version if message.version in SUPPORTED_LIBRARIES else FALLBACK
    header[9] = header[9].split(message.header.separators.repetition)[0]
    rows = [[header[0], *header[2:]], *(list(one.fields) for one in message.segments[1:])]
    return "\r".join(message.header.separators.field.join(row) for row in rows)
