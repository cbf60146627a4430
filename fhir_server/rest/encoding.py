"""Content-Encoding: bodies that come compressed, and large answers that go so.

https://www.rfc-editor.org/rfc/rfc9110#name-content-encoding
"""

import zlib
from collections.abc import Callable, Mapping

import zstandard

from fhir_server.outcome import BadRequest, TooLarge, UnsupportedMediaType

GZIP_FORMAT = 16 + zlib.MAX_WBITS
# What a sender may make us remember of the text before: 8 MB, as https://www.rfc-editor.org/rfc/rfc9659 has it.
ZSTD_WINDOW = 2**23
# zstd is not told where to stop. A block of 4 bytes may stand for 128 KB: so much for 4 MB at once.
PIECE = 128

# What fits into the first packets of a connection gains nothing by being smaller.
WORTHWHILE = 14_000
# The fastest: the network pays for what is left, all who wait pay for the time.
LEVEL = 1


def _gzip_within(body: bytes, limit: int) -> bytes:
    machine = zlib.decompressobj(GZIP_FORMAT)
    found = machine.decompress(body, limit + 1)
    if len(found) <= limit and (not machine.eof or machine.unused_data):
        raise ValueError
    return found


def _zstd_within(body: bytes, limit: int) -> bytes:
    machine = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
    found = bytearray()
    for place in range(0, len(body), PIECE):
        found += machine.decompress(body[place:place + PIECE])
        if len(found) > limit:
            return bytes(found)
    if not machine.eof or machine.unused_data:
        raise ValueError
    return bytes(found)


DECODERS: Mapping[str, Callable[[bytes, int], bytes]] = {"gzip": _gzip_within, "zstd": _zstd_within}


def decoded(body: bytes, encoding: str, limit: int) -> bytes:
    """Returns what `body` is without its Content-Encoding.

    Raises UnsupportedMediaType, TooLarge for what would be over `limit` bytes, BadRequest for what is broken.
    """
    if encoding not in DECODERS:
        raise UnsupportedMediaType(f"Content-Encoding is {encoding[:40]!r}; {' and '.join(DECODERS)} are understood.")
    try:
        found = DECODERS[encoding](body, limit)
    except (ValueError, zlib.error, zstandard.ZstdError):
        raise BadRequest(f"The body is no whole {encoding}.") from None
    if len(found) > limit:
        raise TooLarge(f"The request, unpacked, is larger than the limit of {limit} bytes.")
    return found


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, LEVEL, GZIP_FORMAT)


def _zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=LEVEL).compress(body)


ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {"zstd": _zstd, "gzip": _gzip}


def encoded(body: bytes, accepted: str) -> tuple[bytes, str]:
    """Returns an answer as a client takes it, by its Accept-Encoding, and how that is encoded; "" is not at all."""
    if len(body) < WORTHWHILE or not accepted:
        return body, ""
    weights = _weights(accepted)
    best = max(ENCODERS, key=lambda one: weights.get(one, weights.get("*", 0.0)))
    if not weights.get(best, weights.get("*", 0.0)):
        return body, ""
    return ENCODERS[best](body), best


def _weights(accepted: str) -> dict[str, float]:
    """`gzip, zstd;q=0.5` → `{"gzip": 1.0, "zstd": 0.5}`; what is no number counts as refused."""
    found = {}
    for one in accepted.lower().split(","):
        name, _, weight = one.partition(";")
        try:
            found[name.strip()] = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            found[name.strip()] = 0.0
    return found
