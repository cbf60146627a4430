"""The drop folder: what is completely written goes into the journal, once; renames are noticed."""

import os
from pathlib import Path

import pytest

from adapters.admission import Admission
from adapters.ssmix2.watch import Clock, Watcher
from fhir_server.store.queue import HELD, PARKED, RECEIVED
from fhir_server.store.store import Store
from tests.adapters.ssmix2.conftest import no_descriptors, unreadable
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


def named(patient: str, time: str = "20240401080512345", date: str = "-") -> str:
    folder = f"1119999991/{patient[:3]}/{patient[3:6]}/{patient}/{date}"
    return f"{folder}/ADT-00/{patient}_{date}_ADT-00_999999999999999_{time}_-_1"


def test_what_could_not_be_read_is_unknown_and_read_later(tmp_path: Path, store: Store) -> None:
    watched = watcher(tmp_path, store)
    put(tmp_path, FILE + "1", b"MSH")
    assert looks(watched, 0.0) == [0]
    with no_descriptors():
        assert looks(watched, 1.0, 2.0, 3.0, 4.0) == [0, 0, 0, 0]
    assert looks(watched, 5.0, 8.0, 9.0, 10.0) == [0, 1, 0, 0]


def test_what_cannot_be_read_is_tried_again_ever_more_rarely_and_told_once(
    tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    unreadable(tmp_path / "1119999991")
    watched = watcher(tmp_path, store)
    tried = []
    for second in range(300):
        looks(watched, float(second))
        [pause] = watched.storages["1119999991"].pauses.values()
        tried.append(pause.until - pause.length)
    assert sorted(set(tried)) == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0, 243.0]
    assert caplog.messages == [
        "1119999991: 1 files or folders cannot be read and are tried again: File name too long",
    ]


@pytest.mark.parametrize("content", [b"MSH|^~\\&|", b"msh"])
def test_a_file_written_anew_under_its_name_is_noticed(tmp_path: Path, store: Store, content: bytes) -> None:
    watched = watcher(tmp_path, store)
    path = put(tmp_path, FILE + "1", b"MSH")
    assert looks(watched, 0.0, 1.0, 1000.0) == [0, 1, 0]
    path.write_bytes(content)
    assert looks(watched, 1001.0, 1002.0, 1003.0) == [0, 1, 0]
    assert {store.journal.raw(row.id) for row in store.journal.rows(RECEIVED)} == {b"MSH", content}


def test_news_does_not_wait_for_the_round_through_a_large_storage(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.ssmix2.watch.FOLDERS", 10)
    for patient in range(100):
        put(tmp_path, named(f"00001{patient:05}"), b"MSH")
    watched = watcher(tmp_path, store)
    first = looks(watched, *range(10))
    assert 0 < sum(first) < 100
    put(tmp_path, named("0000100000", "20240402000000000"), b"MSH")
    put(tmp_path, named("0000100001", "20240402000000000", "20240402"), b"MSH")
    news = {"0000100000/-/ADT-00/0000100000_-_ADT-00_999999999999999_20240402000000000_-_1",
            "0000100001/20240402/ADT-00/0000100001_20240402_ADT-00_999999999999999_20240402000000000_-_1"}
    looks(watched, 10.0, 11.0)
    arrived = {row.control for row in store.journal.rows(RECEIVED, 200)}
    assert news < arrived and len(arrived) < 102
    looks(watched, *range(12, 200))
    assert len(store.journal.rows(RECEIVED, 200)) == 102


def test_a_new_watcher_takes_the_files_of_the_last_week_before_the_archive(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.ssmix2.watch.FOLDERS", 10)
    for patient in range(10):
        os.utime(put(tmp_path, named(f"00001{patient:05}"), b"MSH"), (0, 0))
    os.utime(put(tmp_path, named("0000200000"), b"MSH"), (90 * 86400 - 3600, 90 * 86400 - 3600))
    watched = watcher(tmp_path, store)
    arrived = [watched.look(Clock(float(second), 90 * 86400.0)) for second in range(20)]
    assert sum(arrived) == 11
    newest, *_ = sorted(store.journal.rows(RECEIVED), key=lambda row: row.received)
    assert newest.control.startswith("0000200000/")


def test_what_is_remembered_has_bounds(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, bound in {"REMEMBERED": 3, "GROWING": 4, "RECENT": 5}.items():
        monkeypatch.setattr(f"adapters.ssmix2.watch.{name}", bound)
    for patient in range(10):
        put(tmp_path, named(f"00001{patient:05}"), b"MSH")
    watched = watcher(tmp_path, store)
    assert sum(looks(watched, *range(20))) == 10
    storage = watched.storages["1119999991"]
    assert (len(watched.arrived), len(storage.growing) <= 4, len(storage.recent)) == (3, True, 5)


def test_odd_files_wait_for_a_person(tmp_path: Path, store: Store) -> None:
    put(tmp_path, FILE + "1", b"x" * 11)
    put(tmp_path, FILE.replace("1119999991", "1119999991/1119999992") + "1", b"MSH")
    put(tmp_path, FILE.replace("1119999991", "1119999991/1119999992") + "0", b"MSH")
    watched = Watcher(tmp_path, context_for(store, message_limit=10), Admission(store.facilities, True))
    assert looks(watched, 0.0, 1.0, 2.0) == [0, 2, 0]
    name = "0000100001/-/ADT-00/0000100001_-_ADT-00_999999999999999_20240401080512345_-_1"
    assert {(one.control, one.reason, store.journal.raw(one.id)) for one in store.journal.rows(PARKED)} == {
        (name, "The file is too large.", b""),
        ("1119999992", "The storage of another facility lies in the folder of this one.", b""),
    }


def test_hostile_trees_harm_nobody(tmp_path: Path, store: Store, caplog: pytest.LogCaptureFixture) -> None:
    put(tmp_path, "outside/" + FILE.partition("/")[2] + "1", b"MSH|secret")
    drop, name = tmp_path / "drop", FILE.rpartition("/")[2]
    folder = put(drop, FILE + "1", b"MSH").parent
    (folder / f"{name}0").symlink_to(tmp_path / "outside")
    os.mkfifo(folder / f"{name.replace('2024', '2023')}1")
    (drop / "1119999991/001").symlink_to(tmp_path / "outside/000")
    (drop / "1119999992").symlink_to(tmp_path / "outside")
    (folder / os.fsdecode(b"1\n_-_ADT-00_\xff\x1b[2J_20240401000000000_-_1")).write_bytes(b"MSH")
    odd = folder.parent / os.fsdecode(b"\xff\n\x1b[2J")
    odd.mkdir()
    (odd / f"{name}1").write_bytes(b"MSH")
    assert looks(watcher(drop, store), 0.0, 1.0, 2.0) == [0, 2, 0]
    assert {row.control for row in store.journal.rows(RECEIVED)} == {
        f"0000100001/-/ADT-00/{name}1", f"0000100001/-/\\udcff\\n\\x1b[2J/{name}1",
    }
    assert caplog.messages == []


def test_a_folder_that_is_replaced_by_a_link_is_not_followed(tmp_path: Path, store: Store) -> None:
    outside = put(tmp_path, "outside/" + FILE.partition("/")[2] + "1", b"MSH|secret").parents[4]
    drop = tmp_path / "drop"
    above = put(drop, FILE + "1", b"MSH").parents[5]
    watched = watcher(drop, store)
    assert looks(watched, 0.0, 1.0) == [0, 1]
    (above / "000").rename(tmp_path / "former")
    (above / "000").symlink_to(outside)
    assert looks(watched, *range(2, 9)) == [0] * 7
