"""What lies in a storage, patient by patient."""

from pathlib import Path

from adapters.ssmix2.walk import walk

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
