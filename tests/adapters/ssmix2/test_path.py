"""A file name is a key and a key is a file name; what is neither is recognised."""

from datetime import datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.facility import JST
from adapters.ssmix2.path import Key, control, misplaced, parse, shown, storage

PART = st.text("0123456789ABCdef-", min_size=1)
KEYS = st.builds(
    Key,
    patient=st.text("0123456789ABC", min_size=1, max_size=15),
    date=st.sampled_from(["-", "20240401", "20111220"]),
    kind=st.sampled_from(["ADT-00", "OMP-01", "OML-11", "PPR-01", "OML-12", "L-OBS^OBS^99ZL01"]),
    order=st.text("0123456789ABC", min_size=1, max_size=22),
    time=st.text("0123456789", min_size=14, max_size=17),
    department=st.sampled_from(["", "-", "08", "051"]),
    flag=st.sampled_from("012"),
)


@given(KEYS)
def test_a_key_is_read_back_from_its_name(key: Key) -> None:
    assert parse(key.name) == key


@given(st.one_of(st.text(), st.lists(PART, min_size=5, max_size=8).map("_".join)))
def test_a_name_that_is_read_is_written_the_same(name: str) -> None:
    key = parse(name)
    assert key is None or key.name == name


@pytest.mark.parametrize("name, key", [
    ("0000100001_20240401_OMP-01_000000024040101_20240401113000000_08_1",
     Key("0000100001", "20240401", "OMP-01", "000000024040101", "20240401113000000", "08", "1")),
    ("0000100001_-_ADT-00_999999999999999_20240401080512345_-_2",
     Key("0000100001", "-", "ADT-00", "999999999999999", "20240401080512345", "-", "2")),
    ("0000100001_20240403_L-OBSERVATIONS^OBSERVATIONS^99ZL01_000000020240403_20240403235900000_1",
     Key("0000100001", "20240403", "L-OBSERVATIONS^OBSERVATIONS^99ZL01", "000000020240403", "20240403235900000",
         "", "1")),
    ("A12_20111220_OMG-11_2011122000300_20111220224447_24_0",
     Key("A12", "20111220", "OMG-11", "2011122000300", "20111220224447", "24", "0")),
])
def test_the_parts_of_a_name(name: str, key: Key) -> None:
    assert parse(name) == key


@pytest.mark.parametrize("name", [
    "Thumbs.db", ".DS_Store", "", "0000100001_20240401_OMP-01_000000024040101_20240401113000000_08_1.txt",
    "0000100001_20240401_OMP-01_000000024040101_20240401113000000_08_1~",
    "0000100001_20240401_OMP-01_000000024040101_20240401113000000_08_3",
    "0000100001_２０２４0401_OMP-01_000000024040101_20240401113000000_08_1",
    "0000100001\n_20240401_OMP-01_000000024040101_20240401113000000_08_1",
    "0000100001_20240401_OMP-01_\x1b]0;x\x07_20240401113000000_08_1",
    "0000100001_20240401_OMP-01_\udcff_20240401113000000_08_1",
])
def test_what_is_no_file_of_a_storage(name: str) -> None:
    assert parse(name) is None


def key_at(time: str) -> Key:
    return Key("1", "-", "ADT-00", "999999999999999", time, "-", "1")


@pytest.mark.parametrize("time, moment", [
    ("20240401080512345", datetime(2024, 4, 1, 8, 5, 12, 345000, JST)),
    ("20240401080512", datetime(2024, 4, 1, 8, 5, 12, 0, JST)),
    ("2024040108051205", datetime(2024, 4, 1, 8, 5, 12, 50000, JST)),
    ("20240331260000000", datetime(2024, 4, 1, 2, 0, 0, 0, JST)),
])
def test_the_time_of_a_version(time: str, moment: datetime) -> None:
    assert key_at(time).moment(JST) == moment


@pytest.mark.parametrize("time", ["20241301000000000", "20240230000000000", "20240401480000000"])
def test_a_time_that_never_was(time: str) -> None:
    with pytest.raises(ValueError):
        key_at(time).moment(JST)


def test_a_file_is_named_the_same_in_every_root_and_volume() -> None:
    key = parse("0000100001_-_PPR-01_999999999999999_20240403120000000_08_2")
    assert key is not None
    for root in ("/a/1119999991", "/b/vol 2/1119999991_2", "."):
        place = PurePosixPath(root).joinpath(*key.folders, key.name)
        assert control(place) == f"0000100001/-/PPR-01/{key.name}"


@pytest.mark.parametrize("place, wrong", [
    ("{}", False), ("PPR-01/{}", False), ("0000100001/-/PPR-01/{}", False), ("x/0000100001/-/PPR-01/{}", False),
    ("ADT-00/{}", True), ("0000100001/20240401/PPR-01/{}", True), ("0000100002/-/PPR-01/{}", True),
])
def test_folders_that_contradict_the_name(place: str, wrong: bool) -> None:
    key = parse("0000100001_-_PPR-01_999999999999999_20240403120000000_08_1")
    assert key is not None and misplaced(PurePosixPath(place.format(key.name)), key) is wrong


@pytest.mark.parametrize("root, number", [
    ("/std/1119999991", "1119999991"), ("/std/1119999991_2024", "1119999991"), ("/std/storage", ""), ("", ""),
])
def test_the_facility_of_a_storage(root: str, number: str) -> None:
    assert storage(PurePosixPath(root) / "000/010/0000100001/-/ADT-00/x") == number


@given(st.text(st.characters(codec=None)))
def test_whatever_a_folder_is_called_its_name_can_be_shown_and_stored(name: str) -> None:
    assert shown(name).isprintable()
    assert shown(name).encode().decode() == shown(name)


@pytest.mark.parametrize("name, text", [
    ("患者 1", "患者 1"), ("a\nb", "a\\nb"), ("\x1b[2J", "\\x1b[2J"), ("\udcff", "\\udcff"), ("\u202e", "\\u202e"),
])
def test_what_does_not_print_is_escaped(name: str, text: str) -> None:
    assert control(PurePosixPath("/r/a/b", name, "file")) == f"a/b/{text}/file"
