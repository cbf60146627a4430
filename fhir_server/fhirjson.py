"""JSON as FHIR means it: decimals keep their digits (1.00 stays 1.00), text stays text.

https://hl7.org/fhir/R4/json.html · https://hl7.org/fhir/R4/datatypes.html#decimal
"""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

Resource = dict[str, Any]

# No measurement has more digits; numbers are compared and indexed digit by digit.
DIGITS = 1000


def _decimal(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("a number is out of range") from None
    if len(text) > DIGITS:
        raise ValueError(f"a number has more than {DIGITS} characters")
    return number


_decoder = msgspec.json.Decoder(float_hook=_decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_sorting = msgspec.json.Encoder(decimal_format="number", order="sorted")

DecodeError = msgspec.DecodeError


def decode(raw: bytes | str) -> Any:
    """Returns the value in `raw`; numbers with a point or an exponent come back as Decimal. Raises DecodeError."""
    return _decoder.decode(raw)


def encode(value: Any) -> bytes:
    """Returns `value` as compact UTF-8 JSON, its Decimals with the digits they were read with."""
    return _encoder.encode(value)


def canonical(value: Any) -> bytes:
    """Returns `value` as JSON with its members sorted: equal content gives equal bytes."""
    return _sorting.encode(value)


def instant(time: datetime) -> str:
    """Returns a FHIR instant with milliseconds, in UTC: `2026-01-31T09:30:00.123Z`."""
    return time.astimezone(UTC).isoformat(timespec="milliseconds")[:23] + "Z"
