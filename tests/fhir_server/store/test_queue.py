"""The queue: order by key, retry, quarantine, leases of workers that die."""

from collections.abc import Callable, Sequence
from threading import Event, Thread
from typing import Any

import pytest
from pymongo import MongoClient

from fhir_server.outcome import Conflict, Unavailable
from fhir_server.store import queue
from fhir_server.store.queue import Hold, Park, Queue, partition
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


class Killed(BaseException):
    """What nothing catches, as if the process had ended."""


def dies(work: Queue, name: str, *rows: str) -> list[list[str]]:
    """A worker that ends while it handles one of `rows`; its lease stays. Returns what it was given."""
    given: list[list[str]] = []

    def handle(chunk: Sequence[Row]) -> None:
        given.append([row["_id"] for row in chunk])
        if {row["_id"] for row in chunk} & set(rows):
            work._leases.rename("kept")
            raise Killed

    try:
        work.round(name, handle, NEVER)
    except Killed:
        work.database["kept"].rename(work._leases.name)
    return given


def expire(work: Queue) -> None:
    work._leases.update_many({}, [{"$set": {"until": "$$NOW"}}])
    work.rows.update_many({"due": {"$exists": True}}, [{"$set": {"due": "$$NOW"}}])


def test_the_partition_of_a_dead_worker_is_taken_over_when_its_lease_ends(work: Queue) -> None:
    put(work, ("1", "p"), ("2", "p"))
    assert dies(work, "dead", "2") == [["1", "2"]]
    handled = Handled()
    assert work.round("b", handled, NEVER) == 0
    _until(lambda: bool(work.round("b", handled, NEVER)))
    assert handled.chunks == [["1"], ["2"]]


def test_a_row_that_ends_every_worker_is_parked_at_last_and_the_others_go_on(work: Queue) -> None:
    put(work, ("1", "p"), ("2", "p"), ("3", "p"))
    assert dies(work, "0", "2") == [["1", "2", "3"]]
    for number in range(queue.ATTEMPTS):
        expire(work)
        assert dies(work, f"{number + 1}", "2")[-1] == ["2"]
    expire(work)
    handled = Handled()
    work.round("last", handled, NEVER)
    assert handled.ids == ["3"]
    assert states(work) == {"1": "done", "2": "parked", "3": "done"}
    parked = work.rows.find_one({"_id": "2"})
    assert parked and parked["reason"] == "The worker ended 8 times while it handled this."


def test_rows_handled_together_cost_no_write_of_their_own(work: Queue) -> None:
    put(work, ("1", "p"), ("2", "p"))
    work.round("a", Handled(), NEVER)
    assert [row["attempts"] for row in work.rows.find()] == [0, 0]


@pytest.mark.parametrize("error", [Unavailable("away"), Conflict("another was first")])
def test_what_is_not_the_rows_fault_never_parks_it(work: Queue, error: Exception) -> None:
    put(work, ("1", "p"), ("2", "p"))
    handled = Handled({"1": [error] * 2 * queue.ATTEMPTS})
    for _ in range(2 * queue.ATTEMPTS):
        work.round("a", handled, NEVER)
        expire(work)
    assert states(work) == {"1": "received", "2": "received"}
    work.round("a", handled, NEVER)
    assert handled.ids == ["1", "2"]


def test_a_worker_stops_at_once_when_its_lease_is_anothers(work: Queue) -> None:
    put(work, ("1", "p"), ("2", "p"), ("3", "p"))
    handled = Handled()

    def slow(rows: Sequence[Row]) -> None:
        if len(rows) > 1:
            raise RuntimeError
        handled(rows)
        work._leases.update_one({}, [{"$set": {"owner": "b", "until": {"$add": ["$$NOW", 60_000]}}}])

    work.round("a", slow, NEVER)
    assert handled.ids == ["1"]
    assert states(work) == {"1": "done", "2": "received", "3": "received"}
    lease = work._leases.find_one()
    assert lease and lease["owner"] == "b"


def test_a_held_row_waits_under_the_number_of_its_sender(work: Queue) -> None:
    put(work, ("1", "p"))
    work.round("a", Handled({"1": [Hold("no such sender", "MSH-4", "0012345678")]}), NEVER)
    row = work.rows.find_one({}, {"state": 1, "reason": 1, "place": 1, "sender": 1, "_id": 0})
    assert row == {"state": "held", "reason": "no such sender", "place": "MSH-4", "sender": "0012345678"}


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
