"""What is read of files that were found, and what is said of those that cannot be read."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.ssmix2.arrival import BATCH, BATCH_BYTES, Reading, batches, read
from adapters.ssmix2.walk import Found, listed
from fhir_server.store.journal import Message, Parked
from tests.adapters.ssmix2.conftest import no_descriptors

FACILITY, NOW = "1119999991", datetime(2024, 4, 1, tzinfo=UTC)
NAME = "0000100001_-_ADT-00_999999999999999_20240401080512345_-_1"
FOLDER = "000/010/0000100001/-/ADT-00"
CONTROL = f"0000100001/-/ADT-00/{NAME}"


def found(root: Path, facility: str = FACILITY, limit: int = 100) -> Found:
    path = root / facility / FOLDER / NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(b"MSH")
    [file] = listed(str(path.parent), FACILITY, limit).files
    return file


def reading(file: Found) -> Reading:
    return read([file], FACILITY, "", NOW)


def test_a_file_is_a_message_of_its_patient(tmp_path: Path) -> None:
    file = found(tmp_path)
    message = Message("ssmix2", FACILITY, CONTROL, b"MSH", "1119999991/0000100001", NOW, stands=True)
    assert reading(file) == Reading((file,), (message,), ())


@pytest.mark.parametrize("change, why", [
    (lambda path: path.unlink(), "vanished"),
    (lambda path: path.write_bytes(b"MSH|"), "written meanwhile"),
    (lambda path: os.utime(path, (0, 0)), "written meanwhile"),
    (lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), "Too many levels of symbolic links"),
    (lambda path: (path.parent.rename(path.parents[1] / "x"), path.parent.symlink_to("x")), "it lies behind a link"),
    (lambda path: (path.unlink(), os.mkfifo(path)), "no regular file"),
    (lambda path: (path.unlink(), path.mkdir()), "no regular file"),
])
def test_what_is_no_longer_the_file_that_was_found_is_not_read(tmp_path: Path, change: object, why: str) -> None:
    file = found(tmp_path)
    assert callable(change)
    change(Path(file.path))
    assert reading(file) == Reading((), (), ((file, why),))


def test_what_cannot_be_opened_is_told_without_its_name(tmp_path: Path) -> None:
    file = found(tmp_path)
    with no_descriptors():
        assert reading(file) == Reading((), (), ((file, "Too many open files"),))


def test_a_file_that_is_too_large_waits_for_a_person_without_its_bytes(tmp_path: Path) -> None:
    [message] = reading(found(tmp_path, limit=2)).messages
    parked = Parked("The file is too large.")
    assert message == Message("ssmix2", FACILITY, CONTROL, b"", FACILITY, NOW, parked=parked)


def test_a_storage_of_another_facility_is_one_message_that_states_nothing(tmp_path: Path) -> None:
    [message] = reading(found(tmp_path, "1119999992")).messages
    parked = Parked("The storage of another facility lies in the folder of this one.", "file name")
    assert message == Message("ssmix2", FACILITY, "1119999992", b"", FACILITY, NOW, parked=parked)


def test_batches_fit_into_memory(tmp_path: Path) -> None:
    path = found(tmp_path).path
    small = [Found(path, 1, number) for number in range(BATCH + 1)]
    assert [len(one) for one in batches(small)] == [BATCH, 1]
    large = [Found(path, BATCH_BYTES // 2, number) for number in range(5)]
    assert [len(one) for one in batches(large)] == [2, 2, 1]
