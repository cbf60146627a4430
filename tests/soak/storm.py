"""Senders that do not give up, processes killed under them, and what must be there afterwards."""

import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

import requests

from fhir_server import fhirjson
from fhir_server.config import Config
from fhir_server.store import embedded
from fhir_server.store.journal import Message, unique
from fhir_server.store.store import Store
from tests.process import Serve, wait_for

SENDER = "STORM-HP"
# Part → what stands in the command lines of its processes.
PARTS = {
    "mllp": "fhir_server.cli mllp",
    "worker": "fhir_server.cli worker",
    "web": "fhir_server.cli web",
    "web worker": "multiprocessing.spawn",
    "mongod": "--dbpath",
    "supervisor": "fhir_server.cli serve",
}
END = b"\x1c\r"


def result(patient: str, number: int) -> bytes:
    """Returns the ORU^R01 number `number` of a patient: one potassium, whose value is that number."""
    return (
        f"MSH|^~\\&|LIS|{SENDER}|K|R|20260401090000+0900||ORU^R01^ORU_R01|{control(patient, number)}|P|2.5"
        "||||||UNICODE UTF-8\r"
        f"PID|1||{patient}^^^^PI||試験^太郎^^^^^L^I||19550117|M\r"
        f"OBR|1|{control(patient, number)}||3^生化学的検査^JC10|||20260401085000||||||||||||||||||F\r"
        f"OBX|1|NM|3H015000002326101^カリウム^JC10||{number}|mmol/L|||||F\r"
    ).encode()


def control(patient: str, number: int) -> str:
    return f"{patient}-{number}"


@dataclass
class Hospital:
    """Sends the results of one patient over one connection; sends the same bytes again until they are answered AA.

    accepted  how many messages were answered AA: those of the numbers 1 to `accepted`
    attempts  how many were sent, some of them again
    """

    port: int
    patient: str
    accepted: int = 0
    attempts: int = 0
    connection: socket.socket | None = None

    def step(self) -> None:
        """Sends the next message until it is accepted."""
        number = self.accepted + 1
        raw, expected = result(self.patient, number), f"\rMSA|AA|{control(self.patient, number)}\r".encode()
        wait_for(lambda: expected in self._sent(raw), "a positive acknowledgement")
        self.accepted = number

    def _sent(self, raw: bytes) -> bytes:
        """Returns the acknowledgement, b"" when none came."""
        self.attempts += 1
        try:
            self.connection = self.connection or socket.create_connection(("127.0.0.1", self.port), timeout=30)
            self.connection.sendall(b"\x0b" + raw + END)
            return self._answer(self.connection)
        except OSError:
            self.close()
            return b""

    def close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def _answer(self, connection: socket.socket) -> bytes:
        received = b""
        while not received.endswith(END):
            part = connection.recv(65536)
            if not part:
                raise ConnectionError
            received += part
        return received


@dataclass
class Application:
    """Creates patients over HTTP, never the same one twice: an answer that got lost leaves it open what happened.

    created  path of what was answered 201 → the identifier sent
    """

    page: str
    system: str
    created: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    def step(self) -> None:
        self.asked += 1
        patient = {"resourceType": "Patient", "identifier": [{"system": self.system, "value": str(self.asked)}]}
        try:
            answer = requests.post(f"{self.page}/fhir/Patient", fhirjson.encode(patient), timeout=30,
                                   headers={"Content-Type": "application/fhir+json"})
        except requests.RequestException:
            return
        if answer.status_code == 201:
            self.created[f"Patient/{answer.json()['id']}"] = str(self.asked)

    def close(self) -> None:
        """Has no connection that stays."""


@contextmanager
def stepping(*steppers: Hospital | Application, pause: float = 0.02) -> Iterator[None]:
    """Lets each of them go on in a thread of its own; at the end each has the answer to what it sent last."""
    stop = Event()
    threads = [Thread(target=_steps, args=(one, stop, pause)) for one in steppers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _steps(stepper: Hospital | Application, stop: Event, pause: float) -> None:
    while not stop.wait(pause):
        stepper.step()
    stepper.close()


@dataclass
class Storm:
    """A server that is started again when it is killed as a whole, and what it has promised so far."""

    serve: Serve
    hospitals: list[Hospital]
    applications: list[Application]
    running: ExitStack = field(default_factory=ExitStack)
    kills: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        self.running.enter_context(self.serve.running())

    def kill(self, part: str) -> None:
        """Kills all processes of the part with signal 9, and waits until every sender gets on again."""
        self.kills[part] += 1
        for pid in self.serve.processes(PARTS[part]):
            os.kill(pid, signal.SIGKILL)
        if part == "supervisor":
            wait_for(lambda: not self.serve.processes(), "the end of every part")
            self.running.close()
            self.start()
        before = self.promised
        wait_for(lambda: all(now > then for now, then in zip(self.promised, before)), f"news after the death of {part}")

    def pause(self, seconds: float) -> None:
        Event().wait(seconds)

    @property
    def said(self) -> str:
        """What was promised, in words."""
        accepted, attempts = (sum(getattr(one, name) for one in self.hospitals) for name in ("accepted", "attempts"))
        created, asked = sum(len(one.created) for one in self.applications), sum(one.asked for one in self.applications)
        return f"{accepted:,} messages answered AA of {attempts:,} sent, {created:,} creates answered 201 of {asked:,}"

    @property
    def promised(self) -> list[int]:
        return [*(one.accepted for one in self.hospitals), *(len(one.created) for one in self.applications)]


@contextmanager
def storm(folder: Path, hospitals: int, applications: int = 1, pause: float = 0.02) -> Iterator[Storm]:
    """Gives a server in the folder with senders at work; at the end they have stopped and it still runs."""
    serve = Serve(folder, ("--open",))
    one = Storm(
        serve,
        [Hospital(serve.mllp_port, f"77{number:08}") for number in range(hospitals)],
        [Application(serve.page, f"urn:storm:{number}") for number in range(applications)],
    )
    with one.running:
        one.start()
        with stepping(*one.hospitals, *one.applications, pause=pause):
            yield one
        check(one)


def check(storm: Storm) -> None:
    """Holds what is stored against everything that was promised. Raises AssertionError."""
    with embedded.running(storm.serve.data) as uri, Store(uri, Config.database) as store:
        while left := waiting(store):
            wait_for(lambda: waiting(store) < left, "progress of what waits")
        for hospital in storm.hospitals:
            _check_journal(hospital, store)
            _check_results(hospital, storm.serve)
    for application in storm.applications:
        _check_created(application, storm.serve)


def waiting(store: Store) -> int:
    return sum(one.number for one in store.journal.counts() if one.state == "received")


def _check_journal(hospital: Hospital, store: Store) -> None:
    """Everything answered AA is in the journal and handled."""
    facility = store.facilities.by_sender(SENDER)
    assert facility is not None
    for number in range(1, hospital.accepted + 1):
        name, raw = control(hospital.patient, number), result(hospital.patient, number)
        message = Message("mllp", facility.number, name, raw, "", datetime.min)
        assert (name, store.journal.row(unique(message)).state) == (name, "done")


def _check_results(hospital: Hospital, serve: Serve) -> None:
    """Everything answered AA is found, each result as one resource that was written once."""
    [patient] = everything(serve, f"Patient?identifier={hospital.patient}")
    observations = everything(serve, f"Observation?subject=Patient/{patient['id']}")
    reports = everything(serve, f"DiagnosticReport?subject=Patient/{patient['id']}")
    values = sorted(int(one["valueQuantity"]["value"]) for one in observations)
    assert values == list(range(1, hospital.accepted + 1))
    assert len(reports) == hospital.accepted
    assert {one["meta"]["versionId"] for one in (patient, *observations, *reports)} == {"1"}


def _check_created(application: Application, serve: Serve) -> None:
    """Everything answered 201 is readable as it was sent, and was created once."""
    found = everything(serve, f"Patient?identifier={application.system}|")
    stored = {f"Patient/{one['id']}": one["identifier"][0]["value"] for one in found}
    assert application.created.items() <= stored.items()
    assert len(set(stored.values())) == len(stored) <= application.asked
    for path in list(application.created)[:: max(1, len(application.created) // 50)]:
        assert serve.get(f"/fhir/{path}").json()["meta"]["versionId"] == "1"


def everything(serve: Serve, search: str) -> list[dict[str, Any]]:
    """Returns all resources that match, page by page."""
    found, url = [], f"{serve.page}/fhir/{search}&_count=1000"
    while url:
        bundle = requests.get(url, timeout=60).json()
        found += [entry["resource"] for entry in bundle.get("entry", [])]
        url = next((one["url"] for one in bundle["link"] if one["relation"] == "next"), "")
    return found
