"""The queue: order by key, retry, quarantine, leases of workers that die."""

from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any

import pytest
from pymongo import MongoClient

from fhir_server.store import queue
from fhir_server.store.queue import Park, Queue, partition
from tests.conftest import DATABASE

NEVER = Event()
Row = dict[str, Any]


@pytest.fixture
def work(store: object, _client: MongoClient[Row]) -> Queue:
    made = Queue(_client[DATABASE], "work", lease=1.0)
    made.prepare()
    return made


def put(work: Queue, *rows: tuple[str, str]) -> None:
    """Puts rows in by id and order key."""
    work.rows.insert_many(
        {"_id": id_, "seq": seq, "order": order, "p": partition(order), "state": "received", "attempts": 0}
        for seq, (id_, order) in enumerate(rows))


def states(work: Queue) -> dict[str, str]:
    return {row["_id"]: row["state"] for row in work.rows.find(sort=[("seq", 1)])}


class Handled:
    """A handler that keeps what it was given, and fails for the rows named, as often as told."""

    def __init__(self, fail: dict[str, list[Exception]] | None = None) -> None:
        self.chunks: list[list[str]] = []
        self._fail = fail or {}

    def __call__(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if self._fail.get(row["_id"]) and len(rows) == 1:
                raise self._fail[row["_id"]].pop(0)
            if self._fail.get(row["_id"]):
                raise RuntimeError
        self.chunks.append([row["_id"] for row in rows])

    @property
    def ids(self) -> list[str]:
        return [id_ for chunk in self.chunks for id_ in chunk]


def test_rows_of_a_partition_come_together_in_order(work: Queue) -> None:
    put(work, ("1", "p"), ("2", "p"), ("3", "p"))
    handled = Handled()
    assert work.round("a", handled, NEVER) == 3
    assert handled.chunks == [["1", "2", "3"]]
    assert states(work) == {"1": "done", "2": "done", "3": "done"}
    assert work.round("a", handled, NEVER) == 0


def test_a_parked_row_waits_for_a_person_and_blocks_nothing(work: Queue) -> None:
    put(work, ("1", "p"), ("2", "p"), ("3", "p"))
    handled = Handled({"2": [Park("no such date", "PID-7")]})
    work.round("a", handled, NEVER)
    assert handled.ids == ["1", "3"]
    assert states(work) == {"1": "done", "2": "parked", "3": "done"}
    parked = work.rows.find_one({"_id": "2"})
    assert parked and (parked["reason"], parked["place"]) == ("no such date", "PID-7")
    assert work.replay({"_id": "2"}) == 1
    work.round("a", handled, NEVER)
    assert handled.ids == ["1", "3", "2"]


def test_a_failing_row_holds_back_its_key_alone(work: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    other = next(key for key in map(str, range(1000)) if partition(key) == partition("p"))
    put(work, ("1", "p"), ("2", "p"), ("3", other))
    handled = Handled({"1": [RuntimeError()]})
    work.round("a", handled, NEVER)
    assert handled.ids == ["3"]
    assert states(work) == {"1": "received", "2": "received", "3": "done"}
    work.round("a", handled, NEVER)
    assert handled.ids == ["3"]
    work.rows.update_one({"_id": "1"}, [{"$set": {"due": "$$NOW"}}])
    work.round("a", handled, NEVER)
    assert handled.ids == ["3", "1", "2"]


def test_a_row_that_never_succeeds_is_parked_at_last(work: Queue) -> None:
    put(work, ("1", "p"), ("2", "p"))
    handled = Handled({"1": [ValueError("Yamada") for _ in range(queue.ATTEMPTS)]})
    for _ in range(queue.ATTEMPTS):
        work.round("a", handled, NEVER)
        work.rows.update_many({"due": {"$exists": True}}, [{"$set": {"due": "$$NOW"}}])
    assert handled.ids == ["2"]
    parked = work.rows.find_one({"_id": "1"})
    assert parked and parked["state"] == "parked"
    assert parked["reason"].startswith("It failed 8 times, last with ValueError at test_queue.py:")


def test_two_workers_never_share_a_partition(work: Queue) -> None:
    put(work, *((f"{key}-{number}", str(key)) for number in range(20) for key in range(10)))
    handled, stop = Handled(), Event()
    workers = [Thread(target=work.work, args=(name, handled, stop)) for name in "abc"]
    for one in workers:
        one.start()
    _until(lambda: set(states(work).values()) == {"done"})
    stop.set()
    for one in workers:
        one.join()
    by_key = {str(key): [id_ for id_ in handled.ids if id_.startswith(f"{key}-")] for key in range(10)}
    assert by_key == {str(key): [f"{key}-{number}" for number in range(20)] for key in range(10)}


def test_the_partition_of_a_dead_worker_is_taken_over_when_its_lease_ends(work: Queue) -> None:
    put(work, ("1", "p"))
    assert work._hold(partition("p"), "dead")
    handled = Handled()
    assert work.round("b", handled, NEVER) == 0
    _until(lambda: bool(work.round("b", handled, NEVER)))
    assert handled.ids == ["1"]


def test_a_worker_that_stops_leaves_its_partitions_at_once(work: Queue) -> None:
    put(work, ("1", "p"))
    stop = Event()

    def stopping(rows: Sequence[Row]) -> None:
        stop.set()

    work.work("a", stopping, stop)
    put_again = {"_id": "2", "seq": 9, "order": "p", "p": partition("p"), "state": "received", "attempts": 0}
    work.rows.insert_one(put_again)
    handled = Handled()
    work.round("b", handled, NEVER)
    assert handled.ids == ["2"]


def _until(true: Callable[[], bool]) -> None:
    pause = Event()
    while not true():
        pause.wait(0.02)
