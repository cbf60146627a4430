"""A storage goes through the journal and the worker into the database, and is found by search over HTTP."""

from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Event, Timer

import pytest
from click.testing import CliRunner
from rich.console import Console

from adapters.admission import Admission, admit
from adapters.identity import patient_id
from adapters.ssmix2 import load
from adapters.ssmix2.arrival import FEED
from adapters.ssmix2.load import Tally, journal, quarantined
from adapters.worker import Worker
from fhir_server.context import Context
from fhir_server.store.store import Store
from tests.server import START, Client, context_for, serving

FACILITY = "1119999991"


@pytest.fixture
def context(store: Store) -> Context:
    return context_for(store, open=False)


def work(context: Context) -> None:
    """Lets a worker handle all that waits."""
    stop = Event()
    worker = Worker(context, Admission(context.store.facilities, open=False))

    def look() -> None:
        if context.store.journal.waiting(FEED):
            Timer(0.05, look).start()
        else:
            stop.set()

    look()
    context.store.journal.work("test", worker, stop)


def loaded(root: Path, context: Context, facility: str = FACILITY) -> Tally:
    admit(context.store, facility, "埼東中央病院")
    tally = Tally()
    journal(root, facility, context, tally, lambda: None)
    work(context)
    return tally


def versions(client: Client, type_: str) -> Counter[str]:
    bundle = client.get(f"{type_}?_count=1000").json()
    return Counter(one["resource"]["meta"]["versionId"] for one in bundle["entry"])


@pytest.fixture
def client(context: Context) -> Iterator[Client]:
    with serving(context_for(context.store)) as given:
        yield given


def total(client: Client, search: str) -> int:
    return int(client.get(f"{search}{'&' if '?' in search else '?'}_total=accurate&_count=1").json()["total"])


def test_a_storage_is_found_by_search_and_twice_changes_nothing(
    ssmixtwins: Path, context: Context, client: Client
) -> None:
    first = loaded(ssmixtwins, context)
    assert quarantined(FACILITY, START, context) == {}
    assert (first.files["seen"], first.files["new"], first.left) == (538, 305, {"kept, not mapped": 233})
    counts = {one: total(client, one) for one in ("Patient", "MedicationRequest", "Condition", "DiagnosticReport")}
    assert counts == {"Patient": 20, "MedicationRequest": 212, "Condition": 73, "DiagnosticReport": 413}
    assert total(client, "Observation?category=laboratory&specimen:missing=false") == 1494
    again = loaded(ssmixtwins, context)
    assert (again.files["new"], again.files["known"]) == (0, 305)
    assert versions(client, "MedicationRequest").keys() == {"1"}


def test_the_state_of_two_facilities_is_the_newest_of_each_record(own: Path, context: Context, client: Client) -> None:
    loaded(own / FACILITY, context)
    loaded(own, context, "1119999992")
    patient = patient_id(FACILITY, "0000100001")
    assert quarantined(FACILITY, START, context) == {}
    assert total(client, "Patient") == 3
    assert total(client, f"MedicationRequest?patient={patient}&status=active") == 6
    assert total(client, "MedicationRequest") == 6
    assert total(client, f"Condition?patient={patient}") == 4
    assert total(client, "Condition?clinical-status=active") == 2


def test_a_file_renamed_to_deleted_withdraws_its_record(
    own: Path, tmp_path: Path, context: Context, client: Client
) -> None:
    name = "0000100001_20240401_OMP-01_000000024040101_20240401113000000_08_1"
    [given] = own.rglob(name)
    folder = tmp_path / FACILITY / "000/010/0000100001/20240401/OMP-01"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(given.read_bytes())
    loaded(tmp_path / FACILITY, context)
    assert (total(client, "MedicationRequest"), total(client, "Patient")) == (6, 1)
    (folder / name).rename(folder / (name[:-1] + "0"))
    loaded(tmp_path / FACILITY, context)
    assert (total(client, "MedicationRequest"), total(client, "Patient")) == (0, 1)


def test_broken_files_wait_with_their_reason_and_the_rest_goes_on(own: Path, tmp_path: Path, context: Context) -> None:
    good = "0000100002_-_ADT-00_999999999999999_20240402080000000_-_1"
    [given] = own.rglob(good)
    folder = tmp_path / "000/010/0000100002/-/ADT-00"
    folder.mkdir(parents=True)
    (folder / good).write_bytes(given.read_bytes())
    (folder / good.replace("20240402", "20240403")).write_bytes(b"")
    (folder / good.replace("0000100002", "0000100003")).write_bytes(given.read_bytes())
    loaded(tmp_path, context)
    assert quarantined(FACILITY, START, context) == {
        "MSH: There is no MSH segment at the beginning.": 1,
        "file name: The folders contradict the file name.": 1,
    }
    assert [one.number for one in context.store.journal.counts() if one.state == "done"] == [1]


def test_the_command_shows_what_it_did(own: Path, mongodb_uri: str, store: Store) -> None:
    context = context_for(store, open=False, mongodb_uri=mongodb_uri, database="test")
    admit(store, FACILITY, "埼東中央病院")
    shown = Console(file=StringIO(), width=100)
    load.run(own / FACILITY, FACILITY, context.config, context, shown)
    assert isinstance(shown.file, StringIO)
    lines = [" ".join(line.split()) for line in shown.file.getvalue().splitlines()]
    for line in ("files 35", "mapped now 8", "left alone, superseded 4", "withdrawn 2", "quarantined 0", "Patient 2"):
        assert line in lines


def test_a_facility_has_ten_digits(tmp_path: Path) -> None:
    result = CliRunner().invoke(load.command, [str(tmp_path), "--facility", "12345"])
    assert result.exit_code == 2
    assert "it has 10 digits" in result.output
