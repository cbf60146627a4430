"""The page token `_page`: where the last page ended; signed, good for a day and for one search alone."""

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
_AGE = timedelta(days=1)
# Clocks of several processes differ.
_AHEAD = timedelta(minutes=5)


def token(position: Position, search: str, key: bytes, now: datetime) -> str:
    """Returns the text of `_page` for the page behind `position` of `search`, a text that tells searches apart."""
    payload = encode([_written(now), [_written(one) for one in position.values], position.id])
    return urlsafe_b64encode(_sign(payload, search, key) + payload).decode().rstrip("=")


def position(text: str, search: str, key: bytes, now: datetime) -> Position:
    """Returns what `token` was made from. Raises BadRequest for any other text, another search or key, and after a day.
    """
    try:
        raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except (Error, UnicodeError):
        raw = b""
    signature, payload = raw[:_SIGNATURE], raw[_SIGNATURE:]
    if not key or not hmac.compare_digest(signature, _sign(payload, search, key)):
        raise BadRequest("_page is not a page of this search. Start again without it.", expression="http._page")
    made, values, id_ = decode(payload)
    if not -_AHEAD < now - (_EPOCH + made * _MILLISECOND) < _AGE:
        raise BadRequest("_page has expired: it was good for a day. Start again without it.", expression="http._page")
    return Position(tuple(map(_read, values)), id_)


def _written(value: datetime | str | None) -> int | str | None:
    """A moment as the milliseconds since 1970."""
    return (value - _EPOCH) // _MILLISECOND if isinstance(value, datetime) else value


def _read(value: int | str | None) -> datetime | str | None:
    return _EPOCH + value * _MILLISECOND if isinstance(value, int) else value


def _sign(payload: bytes, search: str, key: bytes) -> bytes:
    return hmac.digest(key, payload + b"\0" + search.encode(), "sha256")[:_SIGNATURE]
