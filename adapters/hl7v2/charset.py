"""Bytes → text by MSH-18 (table 0211), with what Japanese senders really write.

ISO 2022 escapes switch between ASCII, JIS X 0201 and JIS X 0208 inside 7-bit data, so decoding as anything else never
fails but is always wrong: one ESC decides. JIS X 0208 is decoded through Shift_JIS arithmetic and `cp932`, because no
standard codec knows the vendor rows that surnames need (U+9AD9, U+FA11, circled digits). This is also the choice of
U+FF0D and U+FF5E for the two characters whose mapping is disputed.
"""

import codecs
import re
from functools import lru_cache

from adapters.hl7v2.unreadable import Unreadable

ISO_2022 = "iso-2022"
SEVEN_BIT = ("ascii", ISO_2022)

# MSH-18 without blanks, hyphens and underscores, in capitals → codec.
CHARSETS = {
    "ASCII": "ascii",
    "ISOIR6": "ascii",
    "ISOIR13": ISO_2022,
    "ISOIR14": ISO_2022,
    "ISOIR87": ISO_2022,
    "ISOIR159": ISO_2022,
    "UNICODE": "utf-8",
    "UNICODEUTF8": "utf-8",
    "UTF8": "utf-8",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}

ESC = b"\x1b"
_BOM = b"\xef\xbb\xbf"
_CONTROLS = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0D, 0x1B})
_SWITCH = re.compile(rb"\x1b(\(B|\(J|\(I|\$B|\$@|\$\(B|\$\(@|\$\(D)")


def decode(raw: bytes, default: str = "ascii") -> str:
    """Returns the text of a message; `default` is the codec of a sender that declares none or the wrong one.

    Raises Unreadable 102: bytes that are not what MSH-18 declares, control characters, a character set we do not read.
    """
    raw = raw.removeprefix(_BOM)
    if len(raw.translate(None, _CONTROLS)) != len(raw):
        raise Unreadable("The message holds control characters.", "102")
    try:
        codec = _codec(raw, default)
        return _iso_2022(raw) if codec == ISO_2022 else raw.decode(codec)
    except ValueError:
        raise Unreadable("The bytes are not in the declared character set.", "102", "MSH-18") from None


def _codec(raw: bytes, default: str) -> str:
    """Seven-bit sets are told by their bytes; where a declaration meets others, only the sender's setting can help."""
    declared = _declared(raw)
    if raw.isascii():
        return ISO_2022 if ESC in raw else "ascii"
    if ESC in raw:
        raise Unreadable("Escape sequences and 8-bit bytes are mixed.", "102", "MSH-18")
    wide = [codec for codec in declared if codec not in SEVEN_BIT]
    if declared and not wide and default == "ascii":
        raise Unreadable("MSH-18 declares a 7-bit character set, but there are 8-bit bytes.", "102", "MSH-18")
    return wide[0] if wide else _python_name(default)


def _declared(raw: bytes) -> list[str]:
    """Returns the codecs of all repetitions of MSH-18; a component separator in the wrong place counts as one."""
    header = re.split(rb"[\r\n]", raw, maxsplit=1)[0]
    fields = (_iso_2022(header) if ESC in header else header.decode("latin-1")).split(chr(raw[3]) if raw[3:] else "|")
    names = re.split(r"[~^]", fields[17]) if len(fields) > 17 else []
    return [_known(name) for name in names if name.strip()]


def _known(name: str) -> str:
    codec = CHARSETS.get(re.sub(r"[\s_-]", "", name).upper())
    if not codec:
        raise Unreadable("MSH-18 names a character set that is not read here.", "102", "MSH-18")
    return codec


def _python_name(default: str) -> str:
    """`shift_jis` of a sender means what its Windows writes."""
    name = codecs.lookup(default).name
    return "cp932" if name == "shift_jis" else name


def _iso_2022(raw: bytes) -> str:
    """Line by line: a missing return to ASCII then cannot spoil the segments that follow."""
    return "".join(_line(line) if ESC in line else line.decode("ascii") for line in raw.splitlines(keepends=True))


def _line(line: bytes) -> str:
    body = line.rstrip(b"\r\n")
    first, *rest = _SWITCH.split(body)
    if ESC in first or any(ESC in run for run in rest[1::2]):
        raise ValueError("an escape sequence of no known character set")
    runs = [first.decode("ascii")]
    runs += [_SETS[escape](run) for escape, run in zip(rest[::2], rest[1::2], strict=True)]
    return "".join(runs) + line[len(body) :].decode("ascii")


def _ascii(run: bytes) -> str:
    return run.decode("ascii")


def _katakana(run: bytes) -> str:
    """JIS X 0201 katakana on seven bits; the separators stand outside of its range and keep their meaning."""
    return bytes(byte | 0x80 if 0x21 <= byte <= 0x5F else byte for byte in run).decode("cp932")


def _jis_0208(run: bytes) -> str:
    if len(run) % 2:
        raise ValueError("half a character")
    return "".join(map(_kanji, run[::2], run[1::2]))


@lru_cache(maxsize=94 * 94)
def _kanji(row: int, cell: int) -> str:
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        raise ValueError("a byte outside of the 94 by 94 characters")
    lead = ((row - 0x21) >> 1) + 0x81
    trail = cell + (0x1F if cell < 0x60 else 0x20) if row & 1 else cell + 0x7E
    return bytes((lead if lead <= 0x9F else lead + 0x40, trail)).decode("cp932")


def _jis_0212(run: bytes) -> str:
    if len(run) % 2:
        raise ValueError("half a character")
    pairs = (b"\x8f" + bytes((run[at] | 0x80, run[at + 1] | 0x80)) for at in range(0, len(run), 2))
    return b"".join(pairs).decode("euc_jp")


_SETS = {
    b"(B": _ascii,
    b"(J": _ascii,
    b"(I": _katakana,
    b"$B": _jis_0208,
    b"$@": _jis_0208,
    b"$(B": _jis_0208,
    b"$(@": _jis_0208,
    b"$(D": _jis_0212,
}
