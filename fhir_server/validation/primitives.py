"""The primitive types as JSON Schema: https://hl7.org/fhir/R4/datatypes.html#primitive

The patterns are those of the specification, written so that Python's `re` and Rust's `regex` read them alike and in
linear time (no `\\s`, `\\S`, look-around or nested repeats), and made stricter where a regular expression of the
specification lets a day pass that no calendar has. `^` and `$` stand for the whole text.
"""

import binascii
from typing import Any

from fhir_server.fhirjson import Resource

_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_DAY = (
    f"(?:{_YEAR}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    f"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    f"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP_YEAR}-02-29)"
)
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE = "(?:Z|[+-](?:(?:0[0-9]|1[0-3]):[0-5][0-9]|14:00))"
_DATE = f"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?|{_DAY}"
_HEX = "[0-9a-f]"
_MOST = 2**31 - 1


def _text(title: str, pattern: str) -> Resource:
    return {"title": title, "type": "string", "pattern": f"^(?:{pattern})$"}


def _whole(title: str, least: int) -> Resource:
    return {"title": title, "type": "integer", "minimum": least, "maximum": _MOST, "literal": "integer"}


_ANY_TEXT = r"[^\x00-\x08\x0B\x0C\x0E-\x1F]+"
_NO_SPACE = r"[^\x00-\x20]+"

PRIMITIVES: dict[str, Resource] = {
    "base64Binary": {"title": "base64Binary", "type": "string", "literal": "base64Binary"},
    "boolean": {"title": "boolean", "type": "boolean"},
    "canonical": _text("canonical", _NO_SPACE),
    "code": _text("code", f"{_NO_SPACE}(?: {_NO_SPACE})*"),
    "date": _text("date", _DATE),
    "dateTime": _text("dateTime", f"{_DATE}|{_DAY}T{_TIME}{_ZONE}"),
    "decimal": {"title": "decimal", "type": "number"},
    "id": _text("id", r"[A-Za-z0-9\-.]{1,64}"),
    "instant": _text("instant", f"{_DAY}T{_TIME}{_ZONE}"),
    "integer": _whole("integer", -_MOST - 1),
    "markdown": {**_text("markdown", _ANY_TEXT), "maxLength": 1024 * 1024},
    "oid": _text("oid", r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
    "positiveInt": _whole("positiveInt", 1),
    "string": {**_text("string", _ANY_TEXT), "maxLength": 1024 * 1024},
    "time": _text("time", _TIME),
    "unsignedInt": _whole("unsignedInt", 0),
    "uri": _text("uri", _NO_SPACE),
    "url": _text("url", _NO_SPACE),
    "uuid": _text("uuid", f"urn:uuid:{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"),
    # A narrative is long: its characters are looked at where it is read as XHTML (txt-1), not a second time here.
    "xhtml": {"title": "xhtml", "type": "string", "minLength": 1},
}


def is_integer(value: Any) -> bool:
    """JSON Schema takes 1.0 for an integer; FHIR does not: https://hl7.org/fhir/R4/datatypes.html#integer"""
    return isinstance(value, int)


def is_base64(text: Any) -> bool:
    """Whole groups of four, white space between them allowed: https://hl7.org/fhir/R4/datatypes.html#base64Binary"""
    if not isinstance(text, str):
        return False
    try:
        return bool(binascii.a2b_base64(text.encode("ascii").translate(None, b" \t\r\n"), strict_mode=True))
    except ValueError:
        return False


# What JSON Schema has no word for.
LITERALS = {"integer": is_integer, "base64Binary": is_base64}
