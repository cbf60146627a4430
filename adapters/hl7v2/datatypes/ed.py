"""ED and RP: encapsulated data and pointers → Attachment. HL7 v2.5 2.A.24, 2.A.60."""

import re
from base64 import b64decode, b64encode
from binascii import Error

from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource

# Type of data and subtype (tables 0191, 0291) in any case → MIME type.
TYPES = {
    "pdf": "application/pdf", "xml": "application/xml", "rtf": "application/rtf", "html": "text/html",
    "plain": "text/plain", "text": "text/plain", "tx": "text/plain", "ft": "text/plain", "jpeg": "image/jpeg",
    "png": "image/png", "gif": "image/gif", "tiff": "image/tiff", "octet-stream": "application/octet-stream",
    "dicom": "application/dicom", "jot": "application/jot",
}


def attachment(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns the Attachment with its data in Base64; None with a note where nothing in it can be read."""
    content = content_type(repetition[2], repetition[3])
    data = _data(repetition[4], repetition.component(5))
    if not data:
        scope.note("The encapsulated data cannot be read.")
        return None
    return {**({"contentType": content} if content else {}), "data": data}


def pointer(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads RP: an Attachment that says where the data are."""
    if not repetition[1]:
        return None
    content = content_type(repetition[3], repetition[4])
    return {**({"contentType": content} if content else {}), "url": "%20".join(repetition[1].split())}


def content_type(type: str, subtype: str) -> str | None:
    """Returns the MIME type that table 0191 and 0291 stand for."""
    if "/" in subtype or "/" in type:
        return subtype if "/" in subtype else type
    return TYPES.get(subtype.lower()) or TYPES.get(type.lower())


def _data(encoding: str, data: str) -> str | None:
    if encoding == "A":
        return b64encode(data.encode()).decode() or None
    try:
        raw = bytes.fromhex(data) if encoding == "Hex" else b64decode(re.sub(r"\s+", "", data), validate=True)
    except (ValueError, Error):
        return None
    return b64encode(raw).decode() or None
