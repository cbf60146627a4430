"""A storage goes through the journal and the worker into the database, and is found by search over HTTP."""

import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Event, Timer
from time import sleep
from typing import Any

import pytest
from click.testing import CliRunner
from rich.console import Console

from adapters.admission import Admission, admit
from adapters.identity import patient_id
from adapters.ssmix2 import load
from adapters.ssmix2.arrival import FEED, read, reason
from adapters.ssmix2.load import Tally, journal, quarantined
from adapters.ssmix2.walk import walk
from adapters.worker import Worker
from fhir_server.config import Config
from fhir_server.context import Context
from fhir_server.store.store import Store
from tests.adapters.ssmix2.conftest import unreadable
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
    assert lines[-1] != "Nothing changed."
    load.run(own / FACILITY, FACILITY, context.config, context, shown)
    assert shown.file.getvalue().splitlines()[-1] == "Nothing changed."


def test_what_cannot_be_read_is_told_and_the_command_fails(tmp_path: Path, mongodb_uri: str, store: Store) -> None:
    unreadable(tmp_path)
    config = Config(data_dir=tmp_path, mongodb_uri=mongodb_uri, database="test")
    result = CliRunner(env=config.environment()).invoke(load.command, [str(tmp_path), "--facility", FACILITY])
    assert result.exit_code == 1
    assert re.search("cannot be read, File name too long +1 *\n", result.output)
    assert result.output.endswith("Error: 1 files or folders could not be read; load again.\n")


def test_ctrl_c_stops_and_what_was_read_goes_on_later(ssmixtwins: Path, mongodb_uri: str, store: Store) -> None:
    config = Config(mongodb_uri=mongodb_uri, database="test")
    program = [sys.executable, "-m", "fhir_server.cli", "load", "ssmix2", str(ssmixtwins), "--facility", FACILITY]
    started = subprocess.Popen(
        program, env={**os.environ, **config.environment()}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    while not store.journal.counts():
        sleep(0.01)
    started.send_signal(signal.SIGINT)
    _, told = started.communicate(timeout=60)
    assert (started.returncode, told.decode().strip()) == (
        130, "Stopped. What was read is safe and waits for a worker; load again to go on.")
    assert store.journal.waiting(FEED) > 0
    again = CliRunner(env=config.environment()).invoke(load.command, [str(ssmixtwins), "--facility", FACILITY])
    assert again.exit_code == 0 and "waited from before" in again.output
    assert [(one.state, one.number) for one in store.journal.counts()] == [("done", 305)]


def test_a_large_file_waits_for_a_person(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "000/010/0000100001/-/ADT-00"
    folder.mkdir(parents=True)
    (folder / "0000100001_-_ADT-00_999999999999999_20240402080000000_-_1").write_bytes(b"x" * 11)
    context = context_for(store, open=False, message_limit=10)
    assert loaded(tmp_path, context).left == {}
    assert quarantined(FACILITY, START, context) == {"The file is too large.": 1}


def test_a_kind_that_looks_like_markup_is_shown_as_it_is() -> None:
    shown, tally = Console(file=StringIO(), width=100), Tally()
    tally.kinds["[/red]"] += 1
    load._summarize(tally, Counter(), Counter({"PID-3: [/bold]": 1}), 1.0, shown)
    assert isinstance(shown.file, StringIO)
    assert "[/red]" in shown.file.getvalue() and "[/bold]" in shown.file.getvalue()


def content(store: Store) -> dict[str, Any]:
    """All that is stored, without what names a version, by reference."""
    with serving(context_for(store)) as client:
        found = [one["resource"] for type_, number in store.counts().items() if number and type_ != "Provenance"
                 for one in client.get(f"{type_}?_count=1000").json().get("entry", ())]
    return {
        f"{one['resourceType']}/{one['id']}": {**one, "meta": {"source": one["meta"]["source"]}} for one in found}


@pytest.mark.parametrize("facility", [FACILITY, "1119999992"])
def test_the_order_of_arrival_does_not_matter(own: Path, context: Context, mongodb_uri: str, facility: str) -> None:
    loaded(own / facility, context, facility)
    groups = walk(str(own / facility), facility, context.config.message_limit)
    files = [file for group in groups for file in group if not reason(file)]
    with Store(mongodb_uri, f"reversed_{facility}") as other:
        other.prepare()
        late = context_for(other, open=False)
        admit(other, facility, "埼東中央病院")
        for file in reversed(files):
            other.journal.receive(read([file], facility, "", START).messages)
            work(late)
        assert content(other) == content(context.store) != {}
