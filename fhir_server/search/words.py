"""Words and parts of words as keys, so that text is found from the middle.

`_c=<gram>`: words of Latin text, pairs of Japanese characters, of all text people write in a resource. `_t=`: the same
of its narrative. `_g=`: three letters in a row of names and addresses. Grams lead; where their order matters, a
pattern decides.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from fhir_server.search.fold import CJK

CONTENT, NARRATIVE, LETTERS = "_c", "_t", "_g"
# Words that are in every text lead nowhere.
COMMON = frozenset({"an", "and", "as", "at", "by", "for", "from", "in", "is", "of", "on", "or", "the", "to", "with"})

_LONGEST = 40
_RUN = re.compile(f"[{CJK}]+|[^\\W_{CJK}]+")
_JAPANESE = re.compile(f"[{CJK}]")
# A letter that is no Japanese character: a word of Latin text ends where there is none.
_LETTER = f"[^\\W_{CJK}]"


class Word(NamedTuple):
    """One word asked for: the grams that lead to it, and the pattern that decides in folded text.

    is_kept  it has a gram, or is in one; letters alone and common words have none
    """

    grams: Sequence[str]
    pattern: str
    is_kept: bool = True


def grams(folded: str) -> tuple[str, ...]:
    """Returns words and pairs of characters of a text, in their order; a Japanese character alone is one too."""
    return tuple(gram for run in _RUN.findall(folded) for gram in _of_run(run))


@lru_cache(maxsize=8192)
def content(folded: str) -> tuple[str, ...]:
    """Returns the keys of a short text's grams."""
    return tuple(f"{CONTENT}={gram}" for gram in grams(folded))


@lru_cache(maxsize=8192)
def letters(folded: str) -> tuple[str, ...]:
    """Returns the keys of each three letters in a row of a text's Latin words."""
    return tuple(f"{LETTERS}={one}" for run in _RUN.findall(folded) if not _JAPANESE.match(run) for one in _threes(run))


def words(folded: str) -> list[Word]:
    """Returns the words of a text that is asked for."""
    return [Word(_leading(run), _pattern(run), bool(_of_run(run))) for run in _RUN.findall(folded)]


def inside(folded: str) -> tuple[list[str], list[str]]:
    """Returns the grams, and the three letters, that a text has in which this one is a part: `ada` of `Yamada`."""
    runs = _RUN.findall(folded)
    japanese = [run for run in runs if _JAPANESE.match(run)]
    return [pair for run in japanese for pair in _pairs(run)], [
        three for run in runs if run not in japanese for three in _threes(run)]


def _of_run(run: str) -> Sequence[str]:
    if _JAPANESE.match(run):
        return list(_pairs(run)) or (run,)
    return (run[:_LONGEST],) if len(run) > 1 and run not in COMMON else ()


def _leading(run: str) -> Sequence[str]:
    return list(_pairs(run)) if _JAPANESE.match(run) else _of_run(run)


def _pairs(run: str) -> Iterator[str]:
    return (run[at : at + 2] for at in range(len(run) - 1))


def _threes(run: str) -> Iterator[str]:
    return (run[at : at + 3] for at in range(min(len(run), _LONGEST) - 2))


def _pattern(run: str) -> str:
    part = re.escape(run)
    return part if _JAPANESE.match(run) else f"(?<!{_LETTER}){part}(?!{_LETTER})"
