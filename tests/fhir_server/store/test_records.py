"""What feeds have produced: how new each resource is, and which whole records state it."""

from datetime import UTC, datetime, timedelta

import pytest

from fhir_server.store.records import Known, Overtaken, Produced, State
from fhir_server.store.store import Store

START = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
LATER = START + timedelta(hours=1)


def whole(key: str, time: datetime, *stated: str, **more: object) -> Produced:
    return Produced(key, time, written=stated, stated=stated, whole=True, **more)  # type: ignore[arg-type]


def test_a_whole_record_states_resources_at_a_time(store: Store) -> None:
    store.write([], [whole("r1", START, "Patient/a", "Observation/b"), whole("r2", LATER, "Patient/c")])
    assert store.records.known(["Patient/c", "Patient/d"], ["r1"]) == {
        "Patient/a": Known(START, frozenset({"r1"})),
        "Observation/b": Known(START, frozenset({"r1"})),
        "Patient/c": Known(LATER, frozenset({"r2"})),
    }
    assert store.records.states(["r1", "r3"]) == {"r1": State(START, False)}


def test_a_part_makes_a_resource_newer_and_owns_nothing(store: Store) -> None:
    store.write([], [whole("file", START, "Patient/a"), Produced("message", LATER, written=["Patient/a"])])
    assert store.records.known(["Patient/a"]) == {"Patient/a": Known(LATER, frozenset({"file"}))}
    assert store.records.states(["message"]) == {}


def test_what_is_gone_keeps_its_time(store: Store) -> None:
    store.write([], [whole("r1", START, "Patient/a", "Observation/b")])
    store.write([], [whole("r1", LATER, "Patient/a", gone=["Observation/b"])])
    assert store.records.known(["Observation/b"], ["r1"]) == {
        "Patient/a": Known(LATER, frozenset({"r1"})), "Observation/b": Known(LATER)}


def test_what_another_record_states_as_well_is_only_left(store: Store) -> None:
    store.write([], [whole("r1", START, "Patient/a"), whole("r2", START, "Patient/a")])
    store.write([], [whole("r1", LATER, left=["Patient/a"], withdrawn=True)])
    assert store.records.known(["Patient/a"]) == {"Patient/a": Known(START, frozenset({"r2"}))}
    assert store.records.states(["r1"]) == {"r1": State(LATER, True)}


@pytest.mark.parametrize("late", [
    Produced("message", START, written=["Patient/a"]),
    Produced("other", START, gone=["Patient/a"]),
    whole("r1", START),
])
def test_what_something_newer_overtook_takes_no_effect_at_all(store: Store, late: Produced) -> None:
    store.write([], [whole("r1", LATER, "Patient/a")])
    with pytest.raises(Overtaken):
        store.write([], [Produced("first", START, written=["Patient/z"]), late])
    assert store.records.known(["Patient/a", "Patient/z"]) == {"Patient/a": Known(LATER, frozenset({"r1"}))}
    assert store.records.states(["r1"]) == {"r1": State(LATER, False)}


def test_the_same_twice_changes_nothing(store: Store) -> None:
    for _ in range(2):
        store.write([], [whole("r1", START, "Patient/a", gone=["Patient/b"])])
    assert store.records.known(["Patient/b"], ["r1"]) == {
        "Patient/a": Known(START, frozenset({"r1"})), "Patient/b": Known(START)}
