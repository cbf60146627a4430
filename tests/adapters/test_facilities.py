"""`kakehashi facility` and `kakehashi replay`, as a person runs them on a network that waits."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.admission import provisional
from fhir_server.store.journal import Message, Parked
from fhir_server.store.store import Store
from tests.conftest import DATABASE
from tests.process import kakehashi

NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def run(mongodb_uri: str, store: Store, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Runs the command on the test's database; returns exit code and what it said."""
    return lambda *words: kakehashi(*words, cwd=tmp_path, MONGODB_URI=mongodb_uri, KAKEHASHI_DATABASE=DATABASE)


def message(control: str, sender: str, **other: object) -> Message:
    return Message("mllp", sender, control, b"MSH", sender, NOW, **other)  # type: ignore[arg-type]


def test_a_facility_that_is_entered_is_listed_and_its_messages_go(run, store):
    store.journal.receive([message("1", provisional("SAITO", store.facilities), held="unknown")])
    code, said = run("facility", "add", "1119999991", "埼東中央病院", "--sender", "SAITO", "--charset", "cp932")
    assert (code, said) == (0, "1119999991 埼東中央病院 sends as SAITO, cp932.\n")
    assert [one.state for one in store.journal.counts()] == ["received"]
    code, said = run("facility", "list")
    assert code == 0
    assert all(word in said for word in ("1119999991", "埼東中央病院", "SAITO", "cp932", "yes"))


def test_a_facility_that_is_entered_again_keeps_what_is_not_named(run):
    run("facility", "add", "1119999991", "埼東病院", "--sender", "SAITO", "--sender", "SAITO2", "--charset", "cp932")
    code, said = run("facility", "add", "1119999991", "埼東中央病院")
    assert (code, said) == (0, "1119999991 埼東中央病院 sends as SAITO, SAITO2, cp932.\n")


def test_no_two_facilities_send_under_one_name(run):
    run("facility", "add", "1119999991", "埼東中央病院", "--sender", "SAITO")
    code, said = run("facility", "add", "1119999992", "杉戸クリニック", "--sender", "SAITO")
    assert code != 0 and "1119999991 sends as SAITO already." in said
    code, said = run("facility", "add", "99", "杉戸クリニック")
    assert code != 0 and "it has 10 digits" in said


def test_quarantined_messages_are_replayed_by_id_by_feed_or_all(run, store):
    why = Parked("PID-3 is missing")
    [first, *_] = store.journal.receive([message(str(number), "1119999991", parked=why) for number in range(3)])
    assert run("replay", first.id) == (0, "1 messages wait for a worker.\n")
    assert run("replay", "--all", "--feed", "ssmix2") == (0, "0 messages wait for a worker.\n")
    assert run("replay", "--all") == (0, "2 messages wait for a worker.\n")
    assert [(one.state, one.number) for one in store.journal.counts()] == [("received", 3)]


@pytest.mark.parametrize("words, said", [
    ([], "Name messages by their ids, or all in quarantine with --all."),
    (["x", "--all"], "Name messages by their ids, or all in quarantine with --all."),
    (["x", "--feed", "mllp"], "--feed goes with --all."),
    (["x"], "The journal has no message x."),
])
def test_a_replay_of_nothing_in_particular_is_refused(run, words, said):
    code, told = run("replay", *words)
    assert code != 0 and said in told and "Traceback" not in told
