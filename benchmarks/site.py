"""What the benchmarks share: one running server, its database and what is seeded there."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pymongo import MongoClient, WriteConcern
from pymongo.database import Database

from benchmarks import http, patients, processes
from benchmarks.server import Server, serving
from fhir_server.access.caller import SYSTEM
from fhir_server.app import open_context
from fhir_server.context import Context
from fhir_server.fhirjson import Resource, decode, encode
from fhir_server.store import embedded
from fhir_server.transact import Create, transact

OBSERVATIONS_EACH = 100
# Written in one transaction while seeding.
PATIENTS_AT_ONCE = 5


@dataclass(frozen=True)
class Cpu:
    """CPU time that the server and its database have used, in seconds."""

    server: float
    database: float

    def since(self, before: "Cpu") -> "Cpu":
        return Cpu(self.server - before.server, self.database - before.database)

    def each(self, number: int) -> str:
        server, database = (1000 * one / max(1, number) for one in (self.server, self.database))
        return f"CPU each: server {server:.2f} ms, database {database:.2f} ms"


@dataclass(frozen=True)
class Scale:
    """How long and how large.

    seconds   of each load over HTTP
    stored    numbers of Observations that searches run on; creates and Bundles go into the last
    bundles   transactions
    messages  over MLLP
    copies    of the sample storage of 20 patients, 538 files each
    """

    seconds: float = 8
    stored: Sequence[int] = (10_000, 100_000)
    bundles: int = 24
    messages: int = 2000
    copies: int = 10


SCALES: Mapping[str, Scale] = {
    "default": Scale(),
    "quick": Scale(seconds=2, stored=(1000, 5000), bundles=4, messages=200, copies=1),
    "full": Scale(seconds=20, stored=(10_000, 100_000, 1_000_000), bundles=80, messages=10_000, copies=40),
}


class Site:
    """A server with its database. What is seeded goes through `transact`, 505 resources at a time."""

    def __init__(self, folder: Path, scale: Scale, server: Server, context: Context) -> None:
        self.folder, self.scale, self.server, self.context = folder, scale, server, context
        self.patients = 0
        self._client: MongoClient[dict[str, Any]] = MongoClient(context.config.mongodb_uri, tz_aware=True)

    def seed(self, observations: int) -> None:
        """Makes that many Observations of patients `p0`, `p1`, …, 100 each, together with what was there."""
        wanted = observations // OBSERVATIONS_EACH
        for start in range(self.patients, wanted, PATIENTS_AT_ONCE):
            numbers = range(start, min(wanted, start + PATIENTS_AT_ONCE))
            transact([Create(one, one["id"]) for number in numbers for one in _seeds(number)], self.context, SYSTEM)
        self.patients = max(self.patients, wanted)

    @property
    def stored(self) -> Database[dict[str, Any]]:
        """The server's database, for what the API does not tell."""
        return self._client[self.context.config.database]

    @property
    def floor(self) -> Database[dict[str, Any]]:
        """A database of our own in the same mongod, written as durably, for what the work costs without us."""
        return self._client.get_database("floor", write_concern=WriteConcern(w="majority", j=True))

    def cpu(self) -> Cpu:
        """Returns what was used until now."""
        server, database = self.server.processes()
        return Cpu(processes.cpu_seconds(server), processes.cpu_seconds(database))

    def load(
        self, lines: Sequence[bytes], script: str = "requests.lua", clients: int = http.CLIENTS
    ) -> tuple[http.Load, Cpu]:
        """Returns what `lines` came to, sent as long as the scale says, and what that cost."""
        http.load(self.server.origin, lines, http.WARM_UP, script, clients)
        before = self.cpu()
        return http.load(self.server.origin, lines, self.scale.seconds, script, clients), self.cpu().since(before)

    @property
    def version(self) -> str:
        return str(self._client.server_info()["version"])


@contextmanager
def opened(scale: Scale) -> Iterator[Site]:
    """Gives a site in a temporary folder."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="kakehashi-bench-")))
        server = stack.enter_context(serving(folder / "data"))
        uri = stack.enter_context(embedded.running(server.config.data_dir))
        context = stack.enter_context(open_context(replace(server.config, mongodb_uri=uri)))
        yield Site(folder, scale, server, context)


def _seeds(number: int) -> Iterator[Resource]:
    """A patient and his Observations, as a client would send them."""
    chance, who = patients.random(number), f"p{number}"
    yield _sent(patients.patient(chance), who)
    for i in range(OBSERVATIONS_EACH):
        whom = patients.about(chance, f"Patient/{who}", f"Encounter/{who}")
        yield _sent(patients.observation(chance, whom), f"{who}-{i}")


def _sent(resource: Resource, id_: str) -> Resource:
    sent: Resource = decode(encode({**resource, "id": id_}))
    return sent
