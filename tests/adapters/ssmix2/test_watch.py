"""The drop folder: what is completely written goes into the journal, once; renames are noticed."""

from pathlib import Path

import pytest

from adapters.admission import Admission
from adapters.ssmix2.watch import Clock, Watcher
from fhir_server.store.queue import HELD, RECEIVED
from fhir_server.store.store import Store
from tests.server import context_for

FILE = "1119999991/000/010/0000100001/-/ADT-00/0000100001_-_ADT-00_999999999999999_20240401080512345_-_"


def watcher(drop: Path, store: Store, open: bool = True) -> Watcher:
    return Watcher(drop, context_for(store, open=open), Admission(store.facilities, open))


def put(drop: Path, name: str, content: bytes) -> Path:
    path = drop / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def looks(watched: Watcher, *steady: float) -> list[int]:
    """Files that arrived in each look; the calendar stands still just after they were written."""
    return [watched.look(Clock(one, 0.0)) for one in steady]


def test_a_file_arrives_once_when_it_no_longer_grows(tmp_path: Path, store: Store) -> None:
    watched = watcher(tmp_path, store)
    path = put(tmp_path, FILE + "1", b"MSH")
    assert looks(watched, 0.0) == [0]
    path.write_bytes(b"MSH|^~\\&|")
    assert looks(watched, 1.0, 2.0, 3.0, 4.0, 9.0) == [0, 1, 0, 0, 0]
    assert [store.journal.raw(row.id) for row in store.journal.rows(RECEIVED)] == [b"MSH|^~\\&|"]


def test_a_rename_and_a_new_version_are_noticed(tmp_path: Path, store: Store) -> None:
    watched = watcher(tmp_path, store)
    path = put(tmp_path, FILE + "1", b"MSH")
    assert looks(watched, 0.0, 1.0, 5.0, 6.0) == [0, 1, 0, 0]
    path.rename(path.with_name(path.name[:-1] + "0"))
    assert looks(watched, 7.0, 8.0, 12.0) == [0, 1, 0]
    put(tmp_path, FILE.replace("20240401", "20240501") + "1", b"MSH")
    assert looks(watched, 13.0, 14.0, 15.0) == [0, 1, 0]


def test_a_new_watcher_finds_nothing_new(tmp_path: Path, store: Store) -> None:
    put(tmp_path, FILE + "1", b"MSH")
    assert looks(watcher(tmp_path, store), 0.0, 1.0) == [0, 1]
    assert looks(watcher(tmp_path, store), 0.0, 1.0) == [0, 0]


def test_an_empty_file_is_given_a_minute(tmp_path: Path, store: Store) -> None:
    put(tmp_path, FILE + "1", b"")
    assert looks(watcher(tmp_path, store), 0.0, 30.0, 61.0) == [0, 0, 1]


def test_what_was_written_long_ago_needs_no_second_look(tmp_path: Path, store: Store) -> None:
    path = put(tmp_path, FILE + "1", b"MSH")
    later = path.stat().st_mtime + 3600
    watched = watcher(tmp_path, store)
    assert [watched.look(Clock(0.0, later)), watched.look(Clock(1.0, later))] == [1, 0]


@pytest.mark.parametrize("open, state", [(True, RECEIVED), (False, HELD)])
def test_files_of_an_unknown_facility(tmp_path: Path, store: Store, open: bool, state: str) -> None:
    put(tmp_path, FILE + "1", b"MSH")
    assert looks(watcher(tmp_path, store, open), 0.0, 1.0) == [0, 1]
    assert [(one.state, one.number) for one in store.journal.counts()] == [(state, 1)]
    facility = store.facilities.by_number("1119999991")
    assert (facility.confirmed if facility else None) is (False if open else None)


def test_other_folders_and_other_kinds_are_left_alone(tmp_path: Path, store: Store) -> None:
    put(tmp_path, "notes/readme.txt", b"x")
    put(tmp_path, "1119999991/Thumbs.db", b"x")
    put(tmp_path, FILE.replace("ADT-00", "ADT-12") + "1", b"MSH")
    put(tmp_path, FILE + "2", b"MSH")
    assert looks(watcher(tmp_path, store), 0.0, 1.0, 5.0) == [0, 0, 0]
    assert store.journal.counts() == []
