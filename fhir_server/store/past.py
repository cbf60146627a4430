"""Pages of a history, newest first: the versions of one resource, of a type, or of all.

A version stands in the live collection until it has been copied into history and then replaced. So the live collection
is read first: what is not there any more by then is in history already, so nothing is missed; what is in both is shown
once. Two steps keep a page cheap: where versions stand is read from the indexes alone, then only those shown are.
https://hl7.org/fhir/R4/http.html#history
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from fhir_server.store import envelope
from fhir_server.store.access import seen
from fhir_server.store.collections import Collections
from fhir_server.store.database import Document, Rows
from fhir_server.store.document import Version
from fhir_server.store.find import INDEXES, Deadline, fitting

# Of what stands before a period, so many are looked at for one page: most were replaced before it began.
WINDOW = 1000
# Versions are fetched so many at a time, so that large ones do not fill the memory.
BATCH = 50
# Above every number of a version.
BEYOND = 2**62


class Spot(NamedTuple):
    """Where a version stands in a history. Times of one resource only grow, so the first three tell all apart.

    version  0 of what was live when it was looked for
    """

    updated: datetime
    type: str
    id: str
    version: int = 0


@dataclass(frozen=True)
class Asked:
    """What is asked of a history.

    may_see  the access keys that every version must have
    types    of resources
    id       of the one resource that is asked for, "" all
    since    only versions written then or later
    at       only versions that were current at some time from the first up to, not including, the second
    after    the page starts behind it
    """

    may_see: Sequence[str]
    types: Sequence[str]
    id: str = ""
    since: datetime | None = None
    at: tuple[datetime, datetime] | None = None
    after: Spot | None = None
    limit: int = 100


@dataclass(frozen=True)
class PastPage:
    """One page of a history; `more` is where the next page starts behind, None on the last one.

    A page may hold fewer than were asked for, even none, and not be the last.
    """

    versions: Sequence[Version]
    more: Spot | None


@dataclass(frozen=True)
class _Shelf:
    """A collection, with what its `_id` says of one resource.

    one     that it is of the resource asked for
    behind  that it stands behind the page's start among what was written in the same millisecond
    """

    rows: Rows
    one: Any
    behind: Any


def page(asked: Asked, collections: Collections, deadline: Deadline, limit_bytes: int) -> PastPage:
    """Returns one page, cut off before its versions hold more than `limit_bytes`. Raises TooCostly at the deadline."""
    window = max(asked.limit, WINDOW) if asked.at and not asked.id else asked.limit
    # One more than wanted tells whether there is more.
    spots = _spots(asked, collections, window + 1, deadline)
    looked_at, more = spots[:window], len(spots) > window
    current = _current(looked_at, asked.at[0], collections, deadline) if asked.at else looked_at
    versions, cut = fitting(
        _versions(current, collections, deadline), asked.limit, limit_bytes, lambda one: len(one.raw))
    if cut:
        last = versions[-1]
        return PastPage(versions, Spot(last.updated, last.type, last.id, last.version))
    return PastPage(versions, looked_at[-1] if more else None)


def _spots(asked: Asked, collections: Collections, limit: int, deadline: Deadline) -> list[Spot]:
    """The first spots behind `asked.after`, newest first."""
    found: list[Spot] = []
    for type_ in asked.types:
        floor = found[-1].updated if len(found) == limit else asked.since
        live, past = (_walk(one, type_, asked, floor, limit, deadline) for one in _shelves(type_, asked, collections))
        known = {one[:3]: one for one in (*found, *past, *live)}
        found = sorted(known.values(), reverse=True)[:limit]
    return _of_one(found, asked) if asked.id else found


def _of_one(found: Sequence[Spot], asked: Asked) -> list[Spot]:
    """Ends where nothing older can be asked for: a filter of the database's would look through all that is older."""
    start = asked.at[0] if asked.at else None
    last = next((i for i, one in enumerate(found) if start and one.updated <= start), len(found))
    return [one for one in found[:last + 1] if asked.since is None or one.updated >= asked.since]


def _shelves(type_: str, asked: Asked, collections: Collections) -> tuple[_Shelf, _Shelf]:
    """What is live, then what is past: they are read in this order."""
    after = asked.after or Spot(datetime.max, "", "")
    versions = {"$gte": envelope.past_id(asked.id, 0), "$lt": envelope.past_id(asked.id, after.version or BEYOND)}
    return (_Shelf(collections.live(type_), asked.id, {"$lt": after.id}),
            _Shelf(collections.history(type_), versions, {"$lt": envelope.past_id(after.id, 0)}))


def _walk(
    shelf: _Shelf, type_: str, asked: Asked, floor: datetime | None, limit: int, deadline: Deadline
) -> list[Spot]:
    where = {**seen(asked.may_see), **_times(type_, asked, floor), **_ties(type_, asked, shelf)}
    index = INDEXES["updated"]
    if asked.id:
        where, index = {**where, "_id": shelf.one}, (("_id", 1),)
    found = shelf.rows.find(
        where, {"ts": 1}, sort=[(name, -1) for name, _ in index], limit=limit, hint=index,
        max_time_ms=deadline.left_ms())
    return [_spot(type_, one) for one in found]


def _spot(type_: str, document: Document) -> Spot:
    id_ = document["_id"]
    if isinstance(id_, dict):
        return Spot(document["ts"], type_, id_["i"], id_["v"])
    return Spot(document["ts"], type_, id_)


def _times(type_: str, asked: Asked, floor: datetime | None) -> Document:
    bounds: dict[str, datetime] = {}
    if asked.after:
        bounds["$lte" if type_ <= asked.after.type else "$lt"] = asked.after.updated
    elif asked.at:
        bounds["$lt"] = asked.at[1]
    if floor and not asked.id:
        bounds["$gte"] = floor
    return {"ts": bounds} if bounds else {}


def _ties(type_: str, asked: Asked, shelf: _Shelf) -> Document:
    """What was written in the same millisecond goes by type, then by id."""
    if asked.after is None or type_ != asked.after.type:
        return {}
    return {"$or": [{"ts": {"$lt": asked.after.updated}}, {"_id": shelf.behind}]}


def _current(spots: Sequence[Spot], start: datetime, collections: Collections, deadline: Deadline) -> list[Spot]:
    """Those in whose place no other stood yet at `start`."""
    early = [one for one in spots if one.version and one.updated <= start]
    replaced = {
        (type_, id_, version - 1)
        for type_, group in groupby(sorted(early, key=attrgetter("type")), attrgetter("type"))
        for id_, version in _written_by(start, type_, list(group), collections, deadline) if version > 1
    }
    return [one for one in spots if one[1:] not in replaced]


def _written_by(
    start: datetime, type_: str, spots: Sequence[Spot], collections: Collections, deadline: Deadline
) -> Iterator[tuple[str, int]]:
    """The versions next to those at `spots` that were written up to `start`: id and number."""
    live = {"_id": {"$in": [one.id for one in spots]}, "ts": {"$lte": start}}
    for one in collections.live(type_).find(live, {"v": 1}, max_time_ms=deadline.left_ms()):
        yield one["_id"], one["v"]
    following = [envelope.past_id(one.id, one.version + 1) for one in spots]
    past = {"_id": {"$in": following}, "ts": {"$lte": start}}
    for one in collections.history(type_).find(past, {"_id": 1}, max_time_ms=deadline.left_ms()):
        yield one["_id"]["i"], one["_id"]["v"]


def _versions(spots: Sequence[Spot], collections: Collections, deadline: Deadline) -> Iterator[Version]:
    """What stands at `spots`, in their order."""
    for start in range(0, len(spots), BATCH):
        some = spots[start:start + BATCH]
        found: dict[tuple[datetime, str, str], Version] = {}
        for type_ in {one.type for one in some}:
            found.update(_fetched(type_, [one for one in some if one.type == type_], collections, deadline))
        yield from (found[one[:3]] for one in some)


def _fetched(
    type_: str, spots: Sequence[Spot], collections: Collections, deadline: Deadline
) -> dict[tuple[datetime, str, str], Version]:
    """What stands at `spots` of one type, live or past."""
    def read(rows: Rows, where: Document) -> dict[tuple[datetime, str, str], Version]:
        versions = [envelope.version(type_, one)
                    for one in rows.find(where, envelope.SHOWN, max_time_ms=deadline.left_ms())]
        return {(one.updated, one.type, one.id): one for one in versions}

    live = [one.id for one in spots if not one.version]
    found = read(collections.live(type_), {"_id": {"$in": live}}) if live else {}
    # By now some of what was live is past.
    past = [_past(one) for one in spots if one[:3] not in found]
    return {**found, **read(collections.history(type_), {"$or": past})} if past else found


def _past(spot: Spot) -> Document:
    if spot.version:
        return {"_id": envelope.past_id(spot.id, spot.version)}
    versions = {"$gte": envelope.past_id(spot.id, 0), "$lt": envelope.past_id(spot.id, BEYOND)}
    return {"_id": versions, "ts": spot.updated}
