"""The page token `_page`: where the last page ended, signed, and good only for the search it was made for."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import UTC, datetime, timedelta

from fhir_server.fhirjson import decode, encode
from fhir_server.outcome import BadRequest
from fhir_server.store.plan import Position

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_SIGNATURE = 16


def token(position: Position, search: str, key: bytes) -> str:
    """Returns the text of `_page` for the page behind `position` of `search`, a text that tells searches apart."""
    moment = None if position.value is None else (position.value - _EPOCH) // _MILLISECOND
    payload = encode([moment, position.id])
    return urlsafe_b64encode(_sign(payload, search, key) + payload).decode().rstrip("=")


def position(text: str, search: str, key: bytes) -> Position:
    """Returns what `token` was made from. Raises BadRequest for any other text, or another search or key."""
    try:
        raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except (Error, UnicodeError):
        raw = b""
    signature, payload = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if not key or not hmac.compare_digest(signature, _sign(payload, search, key)):
        raise BadRequest("_page is not a page of this search. Start again without it.", expression="http._page")
    moment, id_ = decode(payload)
    return Position(None if moment is None else _EPOCH + moment * _MILLISECOND, id_)


def _sign(payload: bytes, search: str, key: bytes) -> bytes:
    return hmac.digest(key, payload + b"\0" + search.encode(), "sha256")[:_SIGNATURE]
