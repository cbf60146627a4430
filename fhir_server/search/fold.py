"""Text as search compares it, the same when it is stored and when it is asked for.

https://hl7.org/fhir/R4/search.html#string · JP Core asks for more: width, kana, old and new forms of kanji.
"""

import csv
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from fhir_server.config import Text

Fold = Callable[[str], str]

# Characters of Chinese and Japanese, as they are left by folding; written without blanks between words.
CJK = "\u3005-\u3007\u3041-\u3096\u30a1-\u30fa\u30fc-\u30fe\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

_KANJI = Path(__file__).with_name("kanji.csv")
# Longer texts are folded each time: kept, they would cost memory.
_KEPT = 200
# Accents of Latin, Greek and Cyrillic letters. The voicing marks of kana lie elsewhere.
_ACCENTS = re.compile("[\u0300-\u036f]")
_VOICED = re.compile("[\u3099\u309a]")
# Marks of voicing that stand alone would leave a blank behind.
_LONE = str.maketrans("\u309b\u309c", "\u3099\u309a")
_LONG = re.compile("(?<=[\u3041-\u3096\u30a1-\u30fa\u30fc])[-\u2010-\u2015\u2212]")
_AGAIN = re.compile("([\u3400-\u4dbf\u4e00-\u9fff])\u3005")
_KANA_AGAIN = re.compile("([\u3041-\u3096\u30a1-\u30fa])([\u3099\u309a]?)[\u309d\u30fd](\u3099?)")
_BLANKS = re.compile(f"(?<=[{CJK}]) (?=[{CJK}])")
_SMALL = str.maketrans("ァィゥェォッャュョヮヵヶヱヰ", "アイウエオツヤユヨワカケエイ")


@cache
def folding(text: Text) -> Fold:
    """Returns what folds by these settings; remembers short texts, most of which come again and again."""
    kanji = _kanji() if text.kanji else {}

    def fold(written: str) -> str:
        if written.isascii():
            return " ".join(written.lower().split())
        alike = _ACCENTS.sub("", unicodedata.normalize("NFKD", written.translate(_LONE)).casefold())
        if text.voiced:
            alike = _VOICED.sub("", alike)
        alike = unicodedata.normalize("NFC", _KANA_AGAIN.sub(r"\1\2\1\3", alike))
        if text.kana:
            alike = alike.translate(_katakana()).translate(_SMALL)
        alike = _LONG.sub("ー", _AGAIN.sub(r"\1\1", alike.translate(kanji)))
        return _BLANKS.sub("", " ".join(alike.split()))

    kept = lru_cache(maxsize=16384)(fold)
    return lambda written: (kept if len(written) <= _KEPT else fold)(written)


@cache
def _katakana() -> Mapping[int, str]:
    return {one: chr(one + 0x60) for one in (*range(0x3041, 0x3097), 0x309D, 0x309E)}


@cache
def _kanji() -> Mapping[int, str]:
    """Old forms and variants, each with the form that is usual now."""
    with _KANJI.open(encoding="utf-8", newline="") as file:
        return {ord(old): new for new, olds in [*csv.reader(file)][1:] for old in olds}
