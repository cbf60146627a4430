"""What feeds have produced: the newest version of a record decides what it states."""

from datetime import UTC, datetime, timedelta

from fhir_server.store.records import Produced, State
from fhir_server.store.store import Store

START = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)


def test_a_record_states_resources_at_a_time(store: Store) -> None:
    store.records.put([Produced("r1", START, ["Patient/a", "Observation/b"]), Produced("r2", LATER, ["Patient/c"])])
    assert store.records.times(["Patient/a", "Patient/c", "Patient/d"]) == {"Patient/a": START, "Patient/c": LATER}
    assert store.records.of("r1") == {"Patient/a", "Observation/b"}
    assert store.records.of_many(["r1", "r2", "r3"]) == {
        "r1": {"Patient/a", "Observation/b"}, "r2": {"Patient/c"}}
    assert store.records.states(["r1", "r3"]) == {"r1": State(START, False)}


def test_what_is_gone_keeps_its_time(store: Store) -> None:
    store.records.put([Produced("r1", START, ["Patient/a", "Observation/b"])])
    store.records.put([Produced("r1", LATER, ["Patient/a"], gone=["Observation/b"])])
    assert store.records.of("r1") == {"Patient/a"}
    assert store.records.times(["Observation/b"]) == {"Observation/b": LATER}


def test_a_withdrawn_record_is_known(store: Store) -> None:
    store.records.put([Produced("r1", LATER, gone=["Patient/a"], withdrawn=True)])
    assert store.records.states(["r1"]) == {"r1": State(LATER, True)}
    assert store.records.of("r1") == frozenset()


def test_a_part_takes_over_nothing_of_a_whole_record(store: Store) -> None:
    store.records.put([Produced("whole", START, ["Patient/a"])])
    store.records.put([Produced("part", LATER, ["Patient/a", "Patient/b"], whole=False)])
    assert store.records.of_many(["whole", "part"]) == {"whole": {"Patient/a"}, "part": {"Patient/b"}}
    assert store.records.times(["Patient/a"]) == {"Patient/a": LATER}
    store.records.put([Produced("whole", LATER, ["Patient/b"])])
    assert store.records.of_many(["whole", "part"]) == {"whole": {"Patient/a", "Patient/b"}}


def test_nothing_produced_is_no_error(store: Store) -> None:
    store.records.put([])
