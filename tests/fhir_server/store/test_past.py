"""Histories of one resource, of a type and of all: newest first, nothing missed or doubled while others write."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_server.store import past
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import Version, Write
from fhir_server.store.find import Deadline
from fhir_server.store.past import Asked, Spot
from fhir_server.store.store import Store
from tests.fhir_server.store.versions import START, observation, patient, tombstone

Named = tuple[str, str, int]


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def write(store: Store, *versions: Version) -> None:
    """Writes version after version; each takes the place of the one before."""
    live: dict[tuple[str, str], Version] = {}
    for one in versions:
        store.write([Write(live.get((one.type, one.id)), one)])
        live[one.type, one.id] = one


def moved(version: Version, seconds: float) -> Version:
    return replace(version, updated=at(seconds))


def walk(store: Store, asked: Asked) -> list[list[Named]]:
    """The names of the versions on each page, to the last."""
    return [[(one.type, one.id, one.version) for one in page] for page in pages(store, asked)]


def pages(store: Store, asked: Asked) -> Iterator[Sequence[Version]]:
    more: Spot | None = None
    while True:
        page = store.history(replace(asked, after=more))
        yield page.versions
        if page.more is None:
            return
        assert more is None or page.more < more, "pages go on"
        more = page.more


def of(*types: str, id_: str = "", **asked: Any) -> Asked:
    return Asked(UNRESTRICTED, types, id_, **asked)


@pytest.fixture
def stored(store: Store) -> Store:
    """Patient a: 1 at 1 s, deleted at 4 s, back at 7 s. Patient b: 1 at 2 s, 2 at 5 s. Observation a: 1 at 5 s."""
    write(store, moved(patient(1, "a"), 1), moved(patient(1, "b"), 2), moved(tombstone(2, "a"), 4),
          moved(patient(2, "b"), 5), moved(observation(1, "a"), 5), moved(patient(3, "a"), 7))
    return store


A1, A2, A3 = ("Patient", "a", 1), ("Patient", "a", 2), ("Patient", "a", 3)
B1, B2, O1 = ("Patient", "b", 1), ("Patient", "b", 2), ("Observation", "a", 1)


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
@pytest.mark.parametrize("asked, found", [
    (of(), [A3, B2, O1, A2, B1, A1]),
    (of("Patient"), [A3, B2, A2, B1, A1]),
    (of("Observation"), [O1]),
    (of("Account"), []),
    (of("Patient", id_="a"), [A3, A2, A1]),
    (of("Patient", id_="b"), [B2, B1]),
    (of("Patient", id_="c"), []),
    (of(since=at(4)), [A3, B2, O1, A2]),
    (of("Patient", since=at(4.5)), [A3, B2]),
    (of("Patient", id_="a", since=at(4)), [A3, A2]),
    (of("Patient", id_="a", since=at(8)), []),
    # What was current at a moment, or at some time of a period.
    (of(at=(at(0), at(1))), []),
    (of(at=(at(3), at(3.001))), [B1, A1]),
    (of(at=(at(5), at(5.001))), [B2, O1, A2]),
    (of(at=(at(3), at(6))), [B2, O1, A2, B1, A1]),
    (of(at=(at(9), at(10))), [A3, B2, O1]),
    (of("Patient", at=(at(5), at(7))), [B2, A2]),
    (of("Patient", at=(at(5), at(9)), since=at(5)), [A3, B2]),
    (of("Patient", id_="a", at=(at(0), at(1))), []),
    (of("Patient", id_="a", at=(at(4), at(5))), [A2]),
    (of("Patient", id_="a", at=(at(3), at(5))), [A2, A1]),
    (of("Patient", id_="b", at=(at(5), at(6))), [B2]),
])
def test_a_history_tells_what_was_asked_newest_first(
    stored: Store, asked: Asked, found: list[Named], limit: int
) -> None:
    told = walk(stored, replace(asked, limit=limit))
    assert [one for page in told for one in page] == found
    assert all(len(page) <= limit for page in told)


@pytest.mark.parametrize("asked, found", [
    (of("Patient"), [A3, B2, B1]),
    (of("Patient", id_="a"), [A3]),
    # Version 2, which may not be seen, was current then.
    (of("Patient", id_="a", at=(at(5), at(6))), []),
    (of("Patient", at=(at(5), at(6))), [B2]),
    (of("Patient", id_="a", at=(at(3), at(8))), [A3, A1]),
])
def test_only_versions_with_the_callers_keys_are_told(store: Store, asked: Asked, found: list[Named]) -> None:
    own, other = "1310000001", "1319999999"
    a1 = moved(patient(1, "a", source=own if A1 in found else other), 1)
    write(store, a1, moved(patient(1, "b"), 2), moved(patient(2, "a", source=other), 4), moved(patient(2, "b"), 5),
          moved(patient(3, "a"), 7))
    assert walk(store, replace(asked, may_see=[f"_src={own}"])) == [found]


def test_a_page_tells_the_versions_as_they_were_stored(stored: Store) -> None:
    told = stored.history(of("Patient", id_="a", limit=2))
    assert told == past.PastPage(
        [replace(moved(patient(3, "a"), 7), values=None), moved(tombstone(2, "a"), 4)], Spot(at(4), "Patient", "a", 2))


@pytest.mark.parametrize("asked, count", [(of("Patient"), 9), (of("Patient", id_="p1"), 5)])
@pytest.mark.parametrize("fit", [0, 1, 2, 3])
def test_a_page_ends_before_its_versions_are_too_many_bytes(store: Store, asked: Asked, count: int, fit: int) -> None:
    write(store, *(patient(number) for number in range(1, 6)), *(patient(number, "p2") for number in range(1, 5)))
    size, after, told = len(patient(1).raw), None, []
    while page := store.history(replace(asked, after=after), limit_bytes=size * fit):
        told.append(len(page.versions))
        if page.more is None:
            break
        after = page.more
    assert (max(told), sum(told)) == (max(fit, 1), count)


def test_what_was_replaced_long_before_a_period_is_passed_over_in_steps(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past, "WINDOW", 3)
    write(store, *(patient(number, id_) for id_ in "ab" for number in range(1, 9)))
    told = walk(store, of("Patient", at=(at(20), at(21)), limit=1))
    assert [one for page in told for one in page] == [("Patient", "b", 8), ("Patient", "a", 8)]
    told = walk(store, of("Patient", at=(at(2), at(3)), limit=2))
    assert [one for page in told for one in page] == [("Patient", "b", 2), ("Patient", "a", 2)]


@given(
    before=st.lists(st.sampled_from("abcd"), min_size=1, max_size=12),
    between=st.lists(st.lists(st.sampled_from("abcde"), max_size=4), max_size=30),
    limit=st.integers(1, 4),
    one=st.booleans(),
    steps=st.lists(st.integers(0, 1), min_size=16, max_size=16))
@settings(deadline=None, max_examples=40)
def test_whatever_is_written_between_pages_nothing_is_missed_or_doubled(
    mongodb_uri: str, before: list[str], between: list[list[str]], limit: int, one: bool, steps: list[int]
) -> None:
    """Many are written in the same millisecond; each resource has its own times, which grow."""
    with Store(mongodb_uri, "test_past") as store:
        store.prepare()
        live: dict[str, Version] = {}
        seconds = iter(range(10**6))

        def more(ids: Sequence[str]) -> None:
            for id_ in ids:
                last = live.get(id_)
                tick = next(seconds) // 3 * 0.001 + steps[len(live) % 16]
                time = max(at(tick), last.updated + timedelta(milliseconds=1) if last else at(0))
                made = replace(patient(last.version + 1 if last else 1, id_), updated=time)
                store.write([Write(last, made)])
                live[id_] = made

        try:
            more(before)
            newest = dict(live)
            shown: list[Version] = []
            asked = of("Patient", id_=before[0] if one else "", limit=limit)
            for page, ids in zip(pages(store, asked), [*between, *[[]] * 100]):
                shown += page
                more(ids)
        finally:
            for rows in ("Patient", "Patient_history"):
                store._database[rows].delete_many({})
    names = [(version.id, version.version) for version in shown]
    ids = [before[0]] if one else list(newest)
    expected = {(id_, number) for id_ in ids for number in range(1, newest[id_].version + 1)}
    assert len(set(names)) == len(names)
    assert {(id_, number) for id_, number in names if id_ in newest and number <= newest[id_].version} == expected
    assert [version.updated for version in shown] == sorted((version.updated for version in shown), reverse=True)


@dataclass(frozen=True)
class Meddling(Deadline):
    """Before each of the store's queries somebody writes."""

    meddle: Callable[[], None]

    def left_ms(self) -> int:
        self.meddle()
        return super().left_ms()


@pytest.mark.parametrize("asked", [
    of(limit=20), of("Patient", limit=1), of("Patient", limit=3), of("Patient", id_="b", limit=2),
    of("Patient", at=(at(1), at(99)))])
@pytest.mark.parametrize("first", range(5))
def test_whatever_is_written_between_queries_nothing_is_missed_or_doubled(
    store: Store, asked: Asked, first: int
) -> None:
    """Each write takes the place of what is live, which so moves into history; the `first` is before that query."""
    live = {id_: patient(2, id_) for id_ in "abc"}
    write(store, *(patient(number, id_) for id_ in "abc" for number in (1, 2)))
    turns = count()

    def meddle() -> None:
        turn = next(turns)
        if first <= turn < first + 12:
            last = live["abc"[turn % 3]]
            live[last.id] = patient(last.version + 1, last.id)
            store.write([Write(last, live[last.id])])

    told: list[Named] = []
    more: Spot | None = None
    while True:
        page = store.history(replace(asked, after=more), Meddling(Deadline.after().end, meddle))
        told += [(one.type, one.id, one.version) for one in page.versions]
        if (more := page.more) is None:
            break
    expected = {("Patient", id_, number) for id_ in (asked.id or "abc") for number in (1, 2)}
    assert (len(set(told)), expected - set(told)) == (len(told), set())


@pytest.mark.parametrize("asked", [of(limit=20), of("Patient", limit=9), of("Patient", id_="p3", limit=2)])
def test_a_storm_of_writes_hides_no_version_that_was_acknowledged(store: Store, asked: Asked) -> None:
    ids = [f"p{number}" for number in range(8)]
    written = dict.fromkeys(ids, 0)

    def storm(id_: str) -> None:
        for number in range(1, 41):
            store.write([Write(patient(number - 1, id_) if number > 1 else None, patient(number, id_))])
            written[id_] = number

    writers = [Thread(target=storm, args=(id_,)) for id_ in ids]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        expected = {("Patient", id_, number) for id_ in ([asked.id] if asked.id else ids)
                    for number in range(1, written[id_] + 1)}
        told = [name for page in walk(store, asked) for name in page]
        assert (len(set(told)), expected - set(told)) == (len(told), set())
