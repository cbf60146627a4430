"""The journal: what is acknowledged is there, twice is once, people can look and act."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from fhir_server.outcome import NotFound
from fhir_server.store.journal import Count, Entry, Journal, Message, Park, Parked, Receipt, Row, unique
from fhir_server.store.store import Store
from tests.conftest import DATABASE

START = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)


def message(control: str, order: str = "1310000001/p1", **other: object) -> Message:
    name = control.encode()
    made = Message("mllp", "1310000001", control, b"MSH|" + name, order, START, ack=b"AA " + name)
    return replace(made, **other)  # type: ignore[arg-type]


def handled(journal: Journal, park: str = "") -> list[Entry]:
    """What a worker gets from the journal until it is idle; it parks the message `park`."""
    got: list[Entry] = []

    def handle(entries: Sequence[Entry]) -> None:
        if park in [one.control for one in entries]:
            raise Park("no such date", "PID-7") if len(entries) == 1 else RuntimeError
        got.extend(entries)

    stop = _Idle()
    journal.work("w", handle, stop)
    return got


class _Idle(Event):
    """A stop that is set as soon as a worker finds nothing to do."""

    def wait(self, timeout: float | None = None) -> bool:
        self.set()
        return True


def test_messages_are_handled_as_they_came(store: Store) -> None:
    receipts = store.journal.receive([message("1"), message("2")])
    assert receipts == [Receipt(unique(message("1")), False, b"AA 1"), Receipt(unique(message("2")), False, b"AA 2")]
    assert handled(store.journal) == [
        Entry(unique(message("1")), "mllp", "1310000001", "1", b"MSH|1", "1310000001/p1", START, 0),
        Entry(unique(message("2")), "mllp", "1310000001", "2", b"MSH|2", "1310000001/p1", START, 0)]
    assert handled(store.journal) == []


def test_the_same_message_twice_is_one_with_the_first_acknowledgement(store: Store) -> None:
    store.journal.receive([message("1")])
    again = store.journal.receive([message("1", ack=b"other"), message("2"), message("2", ack=b"other")])
    assert again == [
        Receipt(unique(message("1")), True, b"AA 1"),
        Receipt(unique(message("2")), False, b"AA 2"),
        Receipt(unique(message("2")), True, b"AA 2")]
    assert [one.control for one in handled(store.journal)] == ["1", "2"]


@pytest.mark.parametrize("other", [message("2"), message("1", raw=b"MSH|x"), message("1", sender="1319999999")])
def test_another_sender_control_id_or_content_is_another_message(store: Store, other: Message) -> None:
    assert [one.duplicate for one in store.journal.receive([message("1"), other])] == [False, False]


def test_a_message_larger_than_a_document_is_kept_whole(store: Store, _client: MongoClient[dict[str, object]]) -> None:
    large = message("1", raw=bytes(range(256)) * 65_536)
    [first], [second] = store.journal.receive([large]), store.journal.receive([large])
    assert (first.duplicate, second.duplicate) == (False, True)
    assert store.journal.raw(first.id) == large.raw
    assert [one.raw for one in handled(store.journal)] == [large.raw]
    assert _client[DATABASE]["journal_raw.files"].count_documents({}) == 1


def test_held_messages_wait_until_their_sender_is_admitted(store: Store) -> None:
    store.journal.receive([message("1", held="unknown sender")])
    store.journal.receive([message("2", held="unknown sender", sender="1319999999")])
    assert handled(store.journal) == []
    assert store.journal.held() == ["1310000001", "1319999999"]
    assert store.journal.release(["1310000001"]) == 1
    assert [one.control for one in handled(store.journal)] == ["1"]
    assert [(one.control, one.reason) for one in store.journal.rows("held")] == [("2", "unknown sender")]


def test_a_parked_message_shows_its_reason_and_can_be_replayed(store: Store) -> None:
    store.journal.receive([message("1"), message("2", received=START + timedelta(seconds=1))])
    assert [one.control for one in handled(store.journal, park="1")] == ["2"]
    row = Row(unique(message("1")), "mllp", "1310000001", "1", START, "parked", "no such date", "PID-7", 1)
    assert store.journal.rows("parked") == [row]
    assert store.journal.row(row.id) == row
    store.journal.replay(row.id)
    assert [one.control for one in handled(store.journal)] == ["1"]
    assert [one.control for one in store.journal.rows("done")] == ["2", "1"]
    assert [one.control for one in store.journal.rows("done", limit=1)] == ["2"]


def test_a_message_may_be_parked_on_arrival(store: Store) -> None:
    store.journal.receive([message("1", parked=Parked("PID-3 is missing", "PID-3"))])
    assert handled(store.journal) == []
    assert [(one.state, one.reason, one.place) for one in store.journal.rows("parked")] == [
        ("parked", "PID-3 is missing", "PID-3")]


def test_counts_are_by_feed_and_state_with_the_last_arrival(store: Store) -> None:
    later = START + timedelta(minutes=1)
    store.journal.receive([message("1"), message("2", received=later), message("3", feed="ssmix2", held="who?")])
    handled(store.journal)
    store.journal.receive([message("4")])
    assert store.journal.counts() == [
        Count("mllp", "done", 2, later), Count("mllp", "received", 1, START), Count("ssmix2", "held", 1, START)]


def test_counts_leave_out_what_came_twice(store: Store) -> None:
    store.journal.receive([message("1"), message("2")])
    handled(store.journal)
    store.journal.receive([message("1"), message("3"), message("3")])
    assert [(one.state, one.number) for one in store.journal.counts()] == [("done", 2), ("received", 1)]


def test_counts_read_nothing_of_what_is_done(store: Store, _client: MongoClient[dict[str, object]]) -> None:
    store.journal.receive([message(str(number)) for number in range(50)])
    handled(store.journal)
    database = _client[DATABASE]
    database.command("profile", 2)
    try:
        store.journal.counts()
    finally:
        database.command("profile", 0)
    profile: Collection[dict[str, Any]] = database["system.profile"]
    asked = list(profile.find({"ns": f"{DATABASE}.journal"}))
    profile.drop()
    assert len(asked) == 7
    assert sum(one["keysExamined"] + one["docsExamined"] for one in asked) < 10


def of_file(name: str, raw: bytes, minutes: int = 0) -> Message:
    return message(name, feed="ssmix2", raw=raw, ack=b"", stands=True, received=START + timedelta(minutes=minutes))


def test_bytes_that_stand_in_a_file_again_are_news(store: Store) -> None:
    for minute, raw in enumerate((b"A", b"B", b"A")):
        [receipt] = store.journal.receive([of_file("f", raw, minute), of_file("g", b"A", minute)])[:1]
        assert not receipt.duplicate
    assert [(one.control, one.raw) for one in handled(store.journal)] == [("g", b"A"), ("f", b"B"), ("f", b"A")]
    assert [one.duplicate for one in store.journal.receive([of_file("f", b"A"), of_file("g", b"A")])] == [True, True]
    assert [one.duplicate for one in store.journal.receive([of_file("f", b"B", 3)])] == [False]
    [again] = handled(store.journal)
    assert (again.raw, again.received) == (b"B", START + timedelta(minutes=3))
    assert [(one.state, one.number) for one in store.journal.counts()] == [("done", 3)]


def test_an_event_that_is_sent_again_after_another_of_its_name_is_a_duplicate(store: Store) -> None:
    for raw in (b"A", b"B"):
        store.journal.receive([message("1", raw=raw)])
    assert [one.raw for one in handled(store.journal)] == [b"A", b"B"]
    [again] = store.journal.receive([message("1", raw=b"A")])
    assert again.duplicate
    assert handled(store.journal) == []


def test_all_that_is_parked_can_be_replayed_or_that_of_one_feed(store: Store) -> None:
    why = Parked("PID-3 is missing")
    store.journal.receive([message("1", parked=why), message("2", parked=why, feed="ssmix2")])
    store.journal.receive([message("3", held="who?")])
    assert store.journal.replay_parked("ssmix2") == 1
    assert [one.control for one in handled(store.journal)] == ["2"]
    assert store.journal.replay_parked() == 1
    assert [one.control for one in handled(store.journal)] == ["1"]


def test_a_message_that_never_came_is_not_found(store: Store) -> None:
    for ask in (store.journal.row, store.journal.raw, store.journal.replay):
        with pytest.raises(NotFound, match="The journal has no message x."):
            ask("x")
