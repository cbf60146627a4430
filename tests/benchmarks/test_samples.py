"""Copies of the samples are different records, so that nothing of a benchmark is a duplicate."""

from datetime import UTC, datetime
from pathlib import Path

from adapters.facility import Facility
from adapters.hl7v2 import messages
from adapters.record import Record
from adapters.ssmix2.kinds import left_alone, to_records
from adapters.ssmix2.path import control
from adapters.ssmix2.walk import walk
from benchmarks import mllp, ssmix2

FACILITY = Facility(ssmix2.FACILITY, "bench")
RECEIVED = datetime(2026, 4, 1, tzinfo=UTC)


def test_two_messages_of_one_patient_share_the_patient_and_the_stay_alone() -> None:
    [first], [second] = (messages.to_records(mllp.message(number), "", FACILITY, RECEIVED)
                         for number in (7, 7 + mllp.PATIENTS))
    assert first.key != second.key
    assert types(references(first) & references(second)) == ["Encounter", "Organization", "Patient"]


def references(record: Record) -> set[str]:
    return {f"{entry.resource['resourceType']}/{entry.resource['id']}" for entry in record.entries}


def types(shared: set[str]) -> list[str]:
    return sorted(one.partition("/")[0] for one in shared)


def test_messages_are_of_many_patients() -> None:
    assert len({mllp.message(number).split(b"\rPID|")[1][:11] for number in range(1000)}) == mllp.PATIENTS


def test_each_copy_of_the_storage_has_records_of_its_own(tmp_path: Path) -> None:
    assert ssmix2.storage_of(2, tmp_path) == 2 * 538
    assert len(records(tmp_path)) == 2 * 305


def records(storage: Path) -> set[str]:
    files = [file for files in walk(str(storage), FACILITY.number, 10**7) for file in files]
    mapped = [file for file in files if file.key and not left_alone(file.key)]
    return {record.key for file in mapped
            for record in to_records(Path(file.path).read_bytes(), control(file.path), FACILITY, RECEIVED)}
