"""The synthetic region: always the same, readable by our own reader, and obviously nobody's."""

from datetime import datetime
from pathlib import Path

from adapters.demo import storage, traffic
from adapters.demo.region import residents
from adapters.facility import JST
from adapters.hl7v2.parse import read
from adapters.ssmix2 import path

BEGIN = datetime(2025, 4, 1, 9, tzinfo=JST)


def test_the_region_is_the_same_at_every_start() -> None:
    assert residents() == residents()
    assert list(traffic.region()) == list(traffic.region())
    assert traffic.arriving(350_000_000) == traffic.arriving(350_000_000)


def test_every_message_says_who_sends_it_and_has_a_control_of_its_own() -> None:
    messages = [read(raw) for raw in traffic.region()]
    assert {one.sender for one in messages} == {"MIHON-HP", "REIJI-CL"}
    assert {(one.type, one.event) for one in messages} == {
        ("ADT", "A01"), ("ADT", "A04"), ("ORU", "R01"), ("RDE", "O11"),
    }
    assert len({one.control for one in messages}) == len(messages) == 73


def test_the_first_resident_is_called_mihon_hanako() -> None:
    person = read(next(traffic.region())).first("PID")
    assert person is not None
    assert (person[3].text, person[5].text) == ("0000000001^^^^PI", "見本^花子^^^^^L^I")


def test_the_stream_sends_messages_of_every_kind() -> None:
    sent = [read(traffic.arriving(slot)) for slot in range(350_000_000, 350_000_040)]
    assert {(one.type, one.event) for one in sent} == {("ADT", "A08"), ("ORU", "R01"), ("RDE", "O11")}


def test_the_storage_is_written_once_under_names_the_standard_knows(tmp_path: Path) -> None:
    storage.write(tmp_path, BEGIN)
    written = sorted(one for one in tmp_path.rglob("*") if one.is_file())
    times = [one.stat().st_mtime_ns for one in written]
    storage.write(tmp_path, BEGIN)
    assert len(written) == 24
    assert [one.stat().st_mtime_ns for one in written] == times
    keys = [path.parse(one.name) for one in written]
    assert {key.kind for key in keys if key} == {"ADT-00", "OML-11"}
