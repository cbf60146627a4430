"""Feeds that meet: a thing of one facility is one resource however it comes; through journal, worker, store, REST."""

from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from pymongo import MongoClient

from adapters.admission import Admission, admit
from adapters.hl7v2.framer import Frame
from adapters.hl7v2.intake import Intake, accepting
from adapters.hl7v2.messages import MESSAGES, REQUIRED
from adapters.ssmix2.load import Tally, journal
from adapters.ssmix2.path import parse
from adapters.worker import Worker
from fhir_server.context import Context
from tests.conftest import DATABASE
from tests.server import Client

HOSPITAL, OTHER = "1119999991", "1119999992"
PERSON = "PID|1||0000100001^^^^PI||幸手^桜子^^^^^L^I||19521103|F"
SOMEBODY_ELSE = "PID|1||0000100001^^^^PI||杉戸^五郎^^^^^L^I||19410715|M"


@dataclass(frozen=True)
class Thing:
    """One thing of the hospital, as a message states it.

    value  what differs between an older and a newer message: `{}` in the segments
    name   of the file that states it; `{}` is the time
    shown  where the value stands in the resource
    """

    kind: str
    segments: tuple[str, ...]
    name: str
    search: str
    shown: str

    def message(self, value: str, time: str, facility: str = HOSPITAL) -> bytes:
        head = f"MSH|^~\\&|HIS|{facility}|K|R|{time}||{self.kind}|{time}|P|2.5||||||UNICODE UTF-8"
        return "\r".join((head, *self.segments, "")).replace("{}", value).encode()

    def file(self, value: str, time: str, flag: int = 1, facility: str = HOSPITAL) -> tuple[str, bytes]:
        return f"{self.name.replace('{}', time + '000')}_{flag}", self.message(value, time, facility)


PATIENT = Thing(
    kind="ADT^A08^ADT_A01",
    segments=("EVN||20240402", f"{PERSON}|||^^^^340-0115^JPN^H^{{}}"),
    name="0000100001_-_ADT-00_999999999999999_{}_-",
    search="Patient?identifier=0000100001",
    shown="address",
)
RESULT = Thing(
    kind="OUL^R22^OUL_R22",
    segments=(
        PERSON,
        "SPM|1|S001||023^血清^JC10|||||||||||||20240402080500",
        "OBR|1|24040201||3^生化学的検査^JC10|||20240402080500||||||||||||||||||F",
        "ORC|SC|24040201|||CM",
        "OBX|1|NM|3H015000002326101^カリウム^JC10||{}|mmol/L|||||F|||20240402080500",
    ),
    name="0000100001_20240402_OML-11_24040201_{}_08",
    search="Observation?code=3H015000002326101",
    shown="valueQuantity",
)
PRESCRIPTION = Thing(
    kind="RDE^O11^RDE_O11",
    segments=(
        PERSON,
        "ORC|NW|24040101||24040101_01_001|||||20240401111500",
        "RXE||103835401^ムコダイン錠２５０ｍｇ^HOT9|{}||TAB^錠^MR9P|||||21|TAB^錠^MR9P",
        "TQ1|1||1013044400000000&内服・経口・１日３回朝昼夕食後&JAMISDP01|||7^d|20240401",
        "RXR|PO^口^HL70162",
    ),
    name="0000100001_20240401_OMP-01_24040101_{}_08",
    search="MedicationRequest?identifier=24040101",
    shown="dosageInstruction",
)
THINGS = pytest.mark.parametrize("thing", (PATIENT, RESULT, PRESCRIPTION), ids=("patient", "result", "prescription"))
WAYS = pytest.mark.parametrize("ways", (("mllp", "file"), ("file", "mllp"), ("mllp", "mllp"), ("file", "file")),
                               ids=" then ".join)

NINE, TEN, ELEVEN = "20240402090000", "20240402100000", "20240402110000"


@dataclass(frozen=True)
class Region:
    """Two facilities that feed a server, each by a listener and by a storage."""

    context: Context
    fhir: Client
    folder: Path

    def sends(self, *messages: bytes) -> None:
        """Messages over MLLP, all accepted; returns when they are handled."""
        admission = Admission(self.context.store.facilities, open=False)
        intake = Intake(admission.of_sender, {kind: REQUIRED.get(kind[0], ()) for kind in MESSAGES})
        accept = accepting(intake, self.context.store.journal, self.context.now, self.context.new_id)
        assert all(b"\rMSA|AA|" in one for one in accept([Frame(raw) for raw in messages]))
        self.works()

    def stores(self, *files: tuple[str, bytes], facility: str = HOSPITAL) -> None:
        """Files of a storage that is then loaded; returns when they are handled."""
        root = self.folder / f"storage-{len(list(self.folder.iterdir()))}" / facility
        for name, content in files:
            key = parse(name)
            assert key is not None
            root.joinpath(*key.folders).mkdir(parents=True, exist_ok=True)
            root.joinpath(*key.folders, name).write_bytes(content)
        journal(root, facility, self.context, Tally(), lambda: None)
        self.works()

    def tells(self, way: str, thing: Thing, value: str, time: str) -> None:
        if way == "mllp":
            self.sends(thing.message(value, time))
        else:
            self.stores(thing.file(value, time))

    def works(self) -> None:
        rows, stop = self.context.store.journal, Event()
        worker = Worker(self.context, Admission(self.context.store.facilities, open=False))
        thread = Thread(target=rows.work, args=("test", worker, stop))
        thread.start()
        while any(one.state == "received" for one in rows.counts()):
            stop.wait(0.01)
        stop.set()
        thread.join()
        assert rows.rows("parked") == []

    def handles_all_again(self) -> None:
        """As after a crash before anything was marked as done."""
        for row in self.context.store.journal.rows("done"):
            self.context.store.journal.replay(row.id)
        self.works()

    def found(self, search: str) -> list[dict[str, Any]]:
        return [entry["resource"] for entry in self.fhir.get(search).json().get("entry", [])]

    def versions(self) -> dict[str, str]:
        """Returns the version of everything there is, by reference."""
        types = self.context.store.counts()
        resources = [one for type_ in types for one in self.found(f"{type_}?_count=100")]
        return {f"{one['resourceType']}/{one['id']}": one["meta"]["versionId"] for one in resources}


@pytest.fixture
def region(context: Context, fhir: Client, tmp_path: Path) -> Region:
    admit(context.store, HOSPITAL, "埼東中央病院", (HOSPITAL,))
    admit(context.store, OTHER, "杉戸クリニック", (OTHER,))
    return Region(context, fhir, tmp_path)


def told(region: Region, thing: Thing) -> list[str]:
    """Returns the values that stand in the one resource of the thing."""
    [one] = region.found(thing.search)
    return [value for value in ("4.25", "5.25") if value in str(one[thing.shown])]


@THINGS
@WAYS
def test_the_newer_one_takes_the_place_of_the_older(region: Region, thing: Thing, ways: tuple[str, str]) -> None:
    region.tells(ways[0], thing, "4.25", NINE)
    region.tells(ways[1], thing, "5.25", TEN)
    assert told(region, thing) == ["5.25"]
    assert region.found(thing.search)[0]["meta"]["versionId"] == "2"


@THINGS
@WAYS
def test_an_older_one_after_a_newer_changes_nothing(region: Region, thing: Thing, ways: tuple[str, str]) -> None:
    region.tells(ways[0], thing, "5.25", TEN)
    region.tells(ways[1], thing, "4.25", NINE)
    assert told(region, thing) == ["5.25"]
    assert region.found(thing.search)[0]["meta"]["versionId"] == "1"


@THINGS
@WAYS
def test_a_newer_one_that_says_the_same_keeps_older_ones_out(
    region: Region, thing: Thing, ways: tuple[str, str]
) -> None:
    region.tells(ways[0], thing, "5.25", NINE)
    region.tells(ways[1], thing, "5.25", ELEVEN)
    for way in ways:
        region.tells(way, thing, "4.25", TEN)
    assert told(region, thing) == ["5.25"]


@THINGS
@pytest.mark.parametrize("ways", (("mllp", "file"), ("file", "mllp")), ids=" then ".join)
def test_all_of_it_twice_changes_nothing(region: Region, thing: Thing, ways: tuple[str, str]) -> None:
    for _ in range(2):
        region.tells(ways[0], thing, "4.25", NINE)
        region.tells(ways[1], thing, "5.25", TEN)
        before = region.versions()
    region.handles_all_again()
    assert region.versions() == before
    assert region.found(thing.search)[0]["meta"]["versionId"] == "2"


@pytest.mark.parametrize("thing", (RESULT, PRESCRIPTION), ids=("result", "prescription"))
@pytest.mark.parametrize("ways", (("file",), ("file", "mllp"), ("mllp", "file")), ids=" then ".join)
def test_a_deleted_file_takes_back_what_it_stated(region: Region, thing: Thing, ways: tuple[str, ...]) -> None:
    for way, time in zip(ways, (NINE, TEN)):
        region.tells(way, thing, "4.25", time)
    [stated] = region.found(thing.search)
    region.stores(thing.file("4.25", ELEVEN, flag=0))
    assert region.found(thing.search) == []
    assert region.fhir.get(f"{stated['resourceType']}/{stated['id']}").status_code == 410
    assert len(region.found(PATIENT.search)) == 1
    for way in ("file", "mllp"):
        region.tells(way, thing, "5.25", NINE)
    assert region.found(thing.search) == []


def test_a_patient_whose_file_was_deleted_stays_inactive(region: Region) -> None:
    region.sends(PATIENT.message("架空町", NINE), RESULT.message("4.25", NINE))
    region.stores(PATIENT.file("架空町", TEN, flag=0))
    [patient] = region.found(PATIENT.search)
    assert patient["active"] is False
    assert region.found(RESULT.search)[0]["subject"] == {"reference": f"Patient/{patient['id']}"}


@pytest.mark.parametrize("way", ("mllp", "file"))
def test_a_file_replaces_all_that_its_key_stated_before(region: Region, way: str) -> None:
    """The second drug is gone from the order: by the name of the file, which is whole, not by anything in it."""
    drug = ("ORC|NW|24040101||24040101_01_002", "RXE||999000201^架空フェキソ錠^HOT9|1||TAB^錠^MR9P", *PRESCRIPTION.segments[3:])
    both = Thing(PRESCRIPTION.kind, PRESCRIPTION.segments + drug, PRESCRIPTION.name, PRESCRIPTION.search, "")
    region.tells("file", both, "1", NINE)
    region.tells(way, both, "1", TEN)
    assert len(region.found(both.search)) == 2
    region.stores(PRESCRIPTION.file("1", ELEVEN))
    [left] = region.found(both.search)
    assert left["medicationCodeableConcept"]["coding"][0]["code"] == "103835401"


def test_messages_and_files_about_one_patient_are_handled_in_one_order(
    region: Region, _client: MongoClient[dict[str, Any]]
) -> None:
    """Whatever other numbers of his a message names first."""
    region.stores(PATIENT.file("架空町", NINE))
    region.sends(PATIENT.message("架空町", TEN).replace(b"0000100001^^^^PI", b"A-1^^^^NI~0000100001^^^^PI"))
    assert _client[DATABASE]["journal"].distinct("order") == [f"{HOSPITAL}/0000100001"]


def test_a_file_with_its_former_content_restored_says_that_again(region: Region) -> None:
    for value in ("4.25", "5.25", "4.25"):
        region.stores(RESULT.file(value, NINE))
        assert told(region, RESULT) == [value]


def test_one_number_at_two_facilities_is_two_people(region: Region) -> None:
    """Each with results of his own, under the same order number, by both ways."""
    other = Thing(PATIENT.kind, ("EVN||20240402", SOMEBODY_ELSE), PATIENT.name, PATIENT.search, "")
    his = Thing(RESULT.kind, (SOMEBODY_ELSE, *RESULT.segments[1:]), RESULT.name, RESULT.search, "")
    region.stores(PATIENT.file("架空町", NINE), RESULT.file("4.25", NINE))
    region.stores(other.file("", TEN, facility=OTHER), his.file("5.25", TEN, facility=OTHER), facility=OTHER)
    region.sends(PATIENT.message("架空町", ELEVEN), other.message("", ELEVEN, OTHER), his.message("5.25", ELEVEN, OTHER))
    people = {one["name"][0]["text"]: one["id"] for one in region.found(PATIENT.search)}
    assert people.keys() == {"幸手 桜子", "杉戸 五郎"}
    results = {one["subject"]["reference"]: one["valueQuantity"]["value"] for one in region.found(RESULT.search)}
    assert {reference: float(value) for reference, value in results.items()} == {
        f"Patient/{people['幸手 桜子']}": 4.25, f"Patient/{people['杉戸 五郎']}": 5.25}
    [sakurako] = region.found(f"Patient?_id={people['幸手 桜子']}")
    assert "link" not in sakurako
