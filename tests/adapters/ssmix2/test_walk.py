"""What lies in a storage, patient by patient."""

import os
import socket
from pathlib import Path, PurePosixPath

from adapters.ssmix2.walk import Found, listed, walk
from tests.adapters.ssmix2.conftest import no_descriptors, unreadable

ADT = "000/010/{0}/-/ADT-00/{0}_-_ADT-00_999999999999999_{1}_-_{2}"
OMP = "000/010/{0}/20240401/OMP-01/{0}_20240401_OMP-01_000000000000001_{1}_08_{2}"


def put(root: Path, name: str, content: bytes = b"MSH") -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content)


def names(root: Path) -> list[list[tuple[str, str]]]:
    return [[(one.path.name, one.odd) for one in files] for files in walk(str(root), "1119999991", 100)]


def test_patients_come_one_after_the_other_and_versions_in_order(tmp_path: Path) -> None:
    root = tmp_path / "1119999991"
    put(root, OMP.format("0000100001", "20240401110000000", "1"))
    put(root, OMP.format("0000100001", "20240401100000000", "0"))
    put(root, ADT.format("0000100001", "20240402000000000", "1"))
    put(root, ADT.format("0000100002", "20240101000000000", "1"))
    assert names(root) == [
        [("0000100001_-_ADT-00_999999999999999_20240402000000000_-_1", ""),
         ("0000100001_20240401_OMP-01_000000000000001_20240401100000000_08_0", ""),
         ("0000100001_20240401_OMP-01_000000000000001_20240401110000000_08_1", "")],
        [("0000100002_-_ADT-00_999999999999999_20240101000000000_-_1", "")],
    ]


def test_what_is_no_storage_file_is_named_and_never_followed(tmp_path: Path) -> None:
    root, outside = tmp_path / "1119999991", tmp_path / "outside"
    put(root, ADT.format("0000100001", "20240401000000000", "1"), b"x" * 101)
    put(outside, "secret")
    (root / "Thumbs.db").write_bytes(b"")
    (root / "000/010/link").symlink_to(outside)
    (root / "000/010/loop").symlink_to(root)
    assert sorted(one for files in names(root) for one in files) == [
        ("0000100001_-_ADT-00_999999999999999_20240401000000000_-_1", "too large"),
        ("Thumbs.db", "no storage file"),
        ("link", "no regular file"),
        ("loop", "no regular file"),
    ]


def test_a_storage_of_another_facility_is_not_taken_for_this_one(tmp_path: Path) -> None:
    put(tmp_path / "1119999991", ADT.format("0000100001", "20240401000000000", "1"))
    put(tmp_path / "1119999992_2024", ADT.format("0000100001", "20240402000000000", "1"))
    assert names(tmp_path) == [
        [("0000100001_-_ADT-00_999999999999999_20240401000000000_-_1", "")],
        [("0000100001_-_ADT-00_999999999999999_20240402000000000_-_1", "another facility")],
    ]


def test_a_folder_that_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    put(tmp_path, ADT.format("0000100001", "20240401000000000", "1"))
    unreadable(tmp_path / "000/020")
    told = [(one.path.name, one.unread) for files in walk(str(tmp_path), "1119999991", 100) for one in files]
    assert told == [
        ("0000100001_-_ADT-00_999999999999999_20240401000000000_-_1", ""),
        ("x" * 250, "File name too long"),
    ]


def test_a_root_that_cannot_be_read_is_not_empty(tmp_path: Path) -> None:
    with no_descriptors():
        [[root]] = walk(str(tmp_path), "1119999991", 100)
    assert root == Found(PurePosixPath(tmp_path), 0, 0, unread="Too many open files")
    assert [one.unread for [one] in walk(str(tmp_path / "gone"), "1119999991", 100)] == ["vanished"]


def test_only_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    put(tmp_path / "volume", ADT.format("0000100001", "20240401000000000", "1"))
    (tmp_path / "link").symlink_to(tmp_path / "volume")
    assert len(names(tmp_path / "link")) == 1
    assert listed(str(tmp_path / "link"), "1119999991", 100).unread == "Not a directory"


def test_links_pipes_and_sockets_under_a_good_name_are_no_files(tmp_path: Path) -> None:
    put(tmp_path, "outside", b"MSH")
    folder = tmp_path / "root/000/010/0000100001/-/ADT-00"
    folder.mkdir(parents=True)
    good = "0000100001_-_ADT-00_999999999999999_2024040100000000{}_-_1"
    (folder / good.format(1)).symlink_to(tmp_path / "outside")
    os.mkfifo(folder / good.format(2))
    server = socket.socket(socket.AF_UNIX)
    descriptor = os.open(folder, os.O_RDONLY)
    server.bind(f"/proc/self/fd/{descriptor}/{good.format(3)}")
    server.close()
    os.close(descriptor)
    assert names(tmp_path / "root") == [[(good.format(number), "no regular file") for number in (1, 2, 3)]]


def test_names_that_do_not_print_are_no_storage_files(tmp_path: Path) -> None:
    for name in (b"1\n_-_ADT-00_9_20240401000000000_-_1", b"1_-_ADT-00_\x1b[2J_20240401000000000_-_1",
                 b"1_-_ADT-00_\xff_20240401000000000_-_1", "1_-_ADT-00_\u202e_20240401000000000_-_1".encode()):
        Path(os.fsdecode(os.path.join(os.fsencode(tmp_path), name))).write_bytes(b"MSH")
    assert [odd for [*files] in names(tmp_path) for _, odd in files] == ["no storage file"] * 4
