"""A process that is killed with signal 9 as it sends its n-th command of a transaction, for n = 1, 2, 3, …

Run as `python -m tests.fhir_server.store.killed URI DATABASE`. Each turn is a fork that makes one transaction; the
first line of output that is not "killed" says that one came through.
"""

import os
import signal
import sys

from pymongo import monitoring

from fhir_server import app
from fhir_server.access.caller import OPEN
from fhir_server.config import Config
from fhir_server.definitions import registry
from fhir_server.exchange import Request
from fhir_server.store.store import Store
from fhir_server.validation.structure import Validator


class Killing(monitoring.CommandListener):
    """Kills the process as it is about to send a command: between what it wrote before and what it does not write."""

    def __init__(self) -> None:
        self.left = -1

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Is of no interest."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Is of no interest."""


def bundle(turn: int) -> dict[str, object]:
    """Deletes, updates, creates, and creates if there is none: four writes about four resources of this turn."""
    patient = {"resourceType": "Patient", "identifier": [{"value": f"new-{turn}"}]}
    observation = {"resourceType": "Observation", "status": "final", "code": {"text": str(turn)},
                   "subject": {"reference": "urn:uuid:1"}}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [
        {"request": {"method": "DELETE", "url": f"Patient/deleted-{turn}"}},
        {"request": {"method": "PUT", "url": f"Patient/updated-{turn}"},
         "resource": {"resourceType": "Patient", "id": f"updated-{turn}", "active": False}},
        {"request": {"method": "PUT", "url": f"Observation/created-{turn}"},
         "resource": {**observation, "id": f"created-{turn}"}},
        {"request": {"method": "POST", "url": "Patient", "ifNoneExist": f"identifier=new-{turn}"},
         "resource": patient, "fullUrl": "urn:uuid:1"}]}


def run(uri: str, database: str, turn: int, listener: Killing) -> None:
    with Store(uri, database) as store:
        context = app.context(Config(open=True), store)
        listener.left = turn
        context.dispatch(Request("transaction", OPEN, "http://here/fhir", resource=bundle(turn)), context)


def main(uri: str, database: str) -> None:
    listener = Killing()
    monitoring.register(listener)
    # What takes long is made once, before the forks; the connection must be each one's own.
    Validator(registry.load())
    for turn in range(1, 100):
        child = os.fork()
        if not child:
            run(uri, database, turn, listener)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else f"exit {os.WEXITSTATUS(status)}", flush=True)
        if not killed:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
