"""A process that dies between any two writes of a transaction leaves all of it or nothing."""

import subprocess
import sys
from pathlib import Path

from pymongo import MongoClient

from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import Write
from fhir_server.store.plan import Plan
from fhir_server.store.store import Store
from tests.conftest import DATABASE
from tests.fhir_server.store.versions import patient

ROOT = Path(__file__).parents[3]
# More than a transaction has commands.
TURNS = 30

NOTHING = ([1], [1], [], 0)
ALL = ([1, 2], [1, 2], [1], 1)


def state(store: Store, turn: int) -> tuple[list[int], list[int], list[int], int]:
    """Versions of what is to be deleted, updated and created, and how many there are of what is to be there once."""
    places = (("Patient", f"deleted-{turn}"), ("Patient", f"updated-{turn}"), ("Observation", f"created-{turn}"))
    deleted, updated, created = (
        [number for number in (1, 2, 3) if store.version(*place, number, UNRESTRICTED)] for place in places)
    return deleted, updated, created, len(store.find(Plan("Patient", keys=[[f"identifier=|new-{turn}"]])).rows)


def test_a_process_killed_at_any_command_leaves_all_or_nothing(store: Store, mongodb_uri: str) -> None:
    store.write([Write(None, patient(1, f"{what}-{turn}"))
                 for turn in range(1, TURNS) for what in ("deleted", "updated")])
    said = _killed(mongodb_uri)
    # The transactions of the dead would hold up others until MongoDB ends them, after a minute.
    with MongoClient[dict[str, object]](mongodb_uri) as client:
        client.admin.command({"killAllSessions": []})
    states = [state(store, turn) for turn in range(1, len(said) + 1)]
    nothing = states.count(NOTHING)
    assert said == ["killed"] * (len(said) - 1) + ["exit 0"]
    assert states == [NOTHING] * nothing + [ALL] * (len(states) - nothing)
    # The search, the claim, the search again, four writes, the commit: it died before each of them.
    assert nothing >= 8


def _killed(uri: str) -> list[str]:
    """What became of each turn."""
    command = [sys.executable, "-m", "tests.fhir_server.store.killed", uri, DATABASE]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    return ran.stdout.splitlines()
