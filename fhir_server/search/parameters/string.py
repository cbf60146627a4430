"""string: words from their start, however they are written. https://hl7.org/fhir/R4/search.html#string

A key is the folded text, and behind a mark the text as it was written where that differs: so one key serves a start,
an exact text and a part. Parts are led to by the grams of the text, and by three letters in a row of names.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Any

from fhir_server.search.fold import CJK, Fold
from fhir_server.search.parameters.text import LEADING, asked_words, led
from fhir_server.search.term import (
    Alternative, Asked, Driven, Entry, Filter, Pattern, Rules, Store, key, keys, starting)
from fhir_server.search.value import unescape
from fhir_server.search.words import CONTENT, LETTERS, content as content_keys, inside, letters

# So much of a text is found by its start or a part of it; an exact text is found whatever its length.
LIMIT = 200
# Names and addresses, by the codes under which they are stored.
LETTERED = frozenset({"name", "family", "given", "address", "address-city", "address-country", "address-postalcode",
                      "address-state"})

# Between the folded text and the text as it was written.
MARK = "\x1f"
# What no resource says in these words is equal to nothing.
_MADE = MARK + MARK
_JAPANESE = re.compile(f"[{CJK}]+")


def _text(code: str, value: str, rules: Rules) -> Entry:
    return Entry(_keys(code, value, rules.fold))


def _name(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    found = [one for text in _parts(value, _NAME) for one in _keys(code, text, rules.fold)]
    return Entry([*found, *_joined(code, value, rules.fold)])


def _address(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    return Entry([one for text in _parts(value, _ADDRESS) for one in _keys(code, text, rules.fold)])


_NAME = ("text", "family", "given", "prefix", "suffix")
_ADDRESS = ("text", "line", "city", "district", "state", "postalCode", "country")

INDEXED: Mapping[str, Store] = {"string": _text, "markdown": _text, "HumanName": _name, "Address": _address}


def _parts(value: Mapping[str, Any], names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        found: Any = value.get(name, ())
        yield from (one for one in ([found] if isinstance(found, str) else found) if one)


def _joined(code: str, name: Mapping[str, Any], fold: Fold) -> tuple[str, ...]:
    """The whole of a Japanese name, family first, unless its text says it."""
    family, given = fold(name.get("family") or ""), fold("".join(one for one in name.get("given", ()) if one))
    whole = family + given
    if not family or not given or not _JAPANESE.fullmatch(whole) or fold(name.get("text") or "") == whole:
        return ()
    return (key(code, whole[:LIMIT] + _MADE), *content_keys(whole[:LIMIT]))


def _keys(code: str, text: str, fold: Fold) -> tuple[str, ...]:
    return _kept_keys(code, text, fold) if len(text) <= LIMIT else _made_keys(code, text, fold)


def _made_keys(code: str, text: str, fold: Fold) -> tuple[str, ...]:
    folded = fold(text)
    if not folded:
        return ()
    start = folded[:LIMIT]
    threes = letters(start) if code in LETTERED else ()
    return (key(code, _stored(folded, text)), *content_keys(start), *threes)


_kept_keys = lru_cache(maxsize=8192)(_made_keys)


def _stored(folded: str, text: str) -> str:
    if max(len(folded), len(text)) > LIMIT:
        return folded[:LIMIT] + MARK + sha256(text.encode()).hexdigest()
    return folded + MARK + (text if folded != text else "")


def sorted_by(texts: list[str]) -> str:
    """Returns the text to sort by, of the texts of keys: the first that is all kana, else the first."""
    folded = [one.partition(MARK)[0] for one in texts]
    return next((one for one in folded if _KANA.fullmatch(one)), folded[0])


_KANA = re.compile("[\u3041-\u30ff ]+")


def starts_with(asked: Asked, value: str) -> Alternative:
    return starting(asked.code, asked.fold(unescape(value))[:LIMIT])


def exact(asked: Asked, value: str) -> Alternative:
    text = unescape(value)
    return keys(asked.code, _stored(asked.fold(text), text))


def contains(asked: Asked, value: str) -> Alternative:
    part = asked.fold(unescape(value))
    pairs, threes = inside(part[:LIMIT])
    drivers = [key(CONTENT, one) for one in pairs]
    if asked.code in LETTERED:
        drivers += [key(LETTERS, one) for one in threes]
    decides = _pattern(asked, re.escape(part))
    leading = tuple((one,) for one in dict.fromkeys(drivers))[:LEADING]
    return Driven(leading, decides.filter) if leading else decides


def text(asked: Asked, value: str) -> Alternative:
    """All these words, in any order: not FHIR's for strings, but asked for."""
    found = asked_words(asked, unescape(value))
    patterns: list[Filter] = [_pattern(asked, one.pattern).filter for one in found]
    return led(found, {"$and": patterns})


def _pattern(asked: Asked, part: str) -> Pattern:
    # A regular expression of MongoDB cannot hold the character NUL itself.
    return Pattern(f"(*UCP)^{re.escape(asked.code)}=[^{MARK}]*{part}".replace("\0", r"\x00"))


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {
    "": starts_with,
    "exact": exact,
    "contains": contains,
    "text": text,
}
