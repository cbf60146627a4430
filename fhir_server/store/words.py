"""Criteria in words, for advice and for `kakehashi explain`: which parameters they are about, never what is sought."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fhir_server.store.plan import LIVE

_KEY = re.compile(r"\^?(?:\(\?\w+\))?([\w-]+)=")
_FIELDS = {"_id": "_id", "ts": "_lastUpdated", "d": "the clinical date"}


def about(*criteria: Any) -> list[str]:
    """Returns the codes of the parameters, as stored, that criteria ask for: `["code", "subject"]`."""
    return sorted({code for one in criteria for code in _codes(one)})


def rechecked(*criteria: Any) -> list[str]:
    """Returns the codes of the parameters whose values are compared one by one, beside the index."""
    return sorted({code for one in criteria for code in _rechecked(one)})


def _rechecked(filter: Any) -> Iterator[str]:
    if isinstance(filter, Mapping):
        for name, inner in filter.items():
            yield from _codes(inner) if name == "iv" else _rechecked(inner)
    elif isinstance(filter, (list, tuple)):
        for one in filter:
            yield from _rechecked(one)


def listed(codes: Sequence[str]) -> str:
    """Returns codes as a sentence holds them."""
    return ", ".join(codes) or "everything"


def _codes(filter: Any, field: str = "") -> Iterator[str]:
    if isinstance(filter, Mapping):
        for name, inner in filter.items():
            yield from _field(name, inner, field)
    elif isinstance(filter, (list, tuple)):
        for one in filter:
            yield from _codes(one, field)
    elif field == "ix" and isinstance(filter, str) and filter != LIVE and (found := _KEY.match(filter)):
        yield found.group(1)


def _field(name: str, inner: Any, field: str) -> Iterator[str]:
    if name.startswith("$"):
        yield from _codes(inner, field)
    elif name == "p" and isinstance(inner, str):
        yield inner
    elif name in _FIELDS:
        yield _FIELDS[name]
    elif name.startswith("s."):
        yield name.removeprefix("s.")
    else:
        yield from _codes(inner, name)
