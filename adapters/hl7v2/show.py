"""A raw message for the eye: decoded, one line a segment, the field that a quarantine names marked."""

import re
from collections.abc import Sequence

from adapters.hl7v2.charset import decode
from adapters.hl7v2.unreadable import Unreadable
from fhir_server.visible import visible

# What stands before the offending field, the field ("" in a line without one), and what stands after it.
Line = tuple[str, str, str]

_PLACE = re.compile(r"(?P<name>[A-Z][A-Z0-9]{2})(?:\[(?P<number>\d{1,5})\])?(?:-(?P<field>\d{1,3}))?")
_LINES = 2_000
_WIDTH = 4_000


def lines(raw: bytes, place: str, charset: str) -> list[Line]:
    """Returns the message as lines; what cannot be decoded is shown byte for byte. Long ones are cut, and say so.

    charset  the sender's own, for a message that declares none
    """
    segments = [one for one in re.split(r"[\r\n]+", _text(raw, charset)) if one]
    where = _PLACE.match(place)
    target = _target(segments, where) if where else None
    shown = [
        _marked(one, where) if where and index == target else (_cut(one), "", "")
        for index, one in enumerate(segments[:_LINES])
    ]
    return [*shown, (f"… {len(segments) - _LINES} more segments", "", "")] if len(segments) > _LINES else shown


def _text(raw: bytes, charset: str) -> str:
    try:
        return decode(raw, charset)
    except Unreadable:
        return raw.decode("utf-8", "backslashreplace")


def _target(segments: Sequence[str], place: re.Match[str]) -> int | None:
    """Returns the index of the segment that `OBX[3]-5` names: the third OBX."""
    named = [index for index, one in enumerate(segments) if one.startswith(place["name"])]
    number = int(place["number"] or 1)
    return named[number - 1] if 1 <= number <= len(named) else None


def _marked(segment: str, place: re.Match[str]) -> Line:
    """Marks the field; where it is missing, or only a segment is named, the segment's name."""
    fields = segment.split(segment[3:4] or "|")
    separator = segment[3:4] or "|"
    number = int(place["field"] or 0) - (1 if place["name"] == "MSH" else 0)
    if not 0 < number < len(fields) or not fields[number]:
        number = 0
    before, after = separator.join(fields[:number]), separator.join(fields[number + 1 :])
    return (
        _cut(before + separator) if number else "",
        _cut(fields[number]),
        _cut(separator + after) if number + 1 < len(fields) else "",
    )


def _cut(text: str) -> str:
    text = visible(text)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]} … ({len(text) - _WIDTH} more characters)"
