"""Parameters about the result of a search: how many, in what order. https://hl7.org/fhir/R4/search.html#return

Each is read into members of the Query, and what is said of it in the self link.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.criteria import Reader
from fhir_server.store.plan import Order, Sort

Members = Mapping[str, Any]
Read = Callable[[str, Reader], tuple[Members, str]]

SORT_LIMIT = 10
_DIGITS = 9


def _count(value: str, reader: Reader) -> tuple[Members, str]:
    if not (value.isascii() and value.isdigit()):
        raise BadRequest(f"_count is a number of rows, not {value[:80]!r}.")
    count = min(int(value[:_DIGITS]), reader.count_limit)
    return {"count": count}, str(count)


def _total(value: str, reader: Reader) -> tuple[Members, str]:
    if value not in ("none", "estimate", "accurate"):
        raise NotSupported(f"_total is none, estimate or accurate, not {value[:80]!r}.")
    return {"total": "" if value == "none" else value}, value


def _sort(value: str, reader: Reader) -> tuple[Members, str]:
    codes = value.split(",")
    if len(codes) > SORT_LIMIT:
        raise BadRequest(f"_sort has at most {SORT_LIMIT} parameters, this one has {len(codes)}.")
    return {"order": Order(tuple(_sorts(codes, reader)))}, value


def _sorts(codes: Sequence[str], reader: Reader) -> Iterator[Sort]:
    """What comes again orders nothing, nor does what follows the id."""
    seen: set[str] = set()
    for one in codes:
        sort = Sort(_field(one.removeprefix("-"), reader), one.startswith("-"))
        if sort.field not in seen and "_id" not in seen:
            yield sort
        seen.add(sort.field)


def _field(code: str, reader: Reader) -> str:
    if code in _FIELDS:
        return _FIELDS[code]
    known = reader.known
    if code and code == known.clinical:
        return "d"
    if code in known.sortable:
        return f"s.{code}"
    possible = (*_FIELDS, *sorted({known.clinical, *known.sortable} - {""}))
    raise NotSupported(f"_sort by {code[:80]!r} is not supported for {reader.type}, only by {', '.join(possible)}.")


_FIELDS = {"_lastUpdated": "ts", "_id": "_id"}

RESULT: Mapping[str, Read] = {
    "_count": _count,
    "_sort": _sort,
    "_total": _total,
}
