"""How often a process looks whether there is a new set, and what it does without an answer."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from fhir_server.definitions import registry
from fhir_server.outcome import Unavailable
from fhir_server.parameters import Parameters
from fhir_server.store.parameters import ParameterSet
from fhir_server.store.store import Store


class Sets:
    """The sets of a database that is away for a while."""

    def __init__(self) -> None:
        self.looks, self.away, self.set = 0, False, ParameterSet(number=1, published=1)

    def number(self) -> int:
        self.looks += 1
        if self.away:
            raise Unavailable("The database does not answer.")
        return self.set.number

    def read(self) -> ParameterSet:
        return self.set


class Process:
    """One process, whose steady clock is set by the test."""

    def __init__(self) -> None:
        self.now, self.sets = 100.0, Sets()
        store: Any = SimpleNamespace(parameters=self.sets)
        self.parameters = Parameters(cast(Store, store), registry.load(), lambda: self.now)

    def number(self, now: float) -> int:
        self.now = now
        return self.parameters().set.number


def test_it_looks_once_a_second_and_only_when_asked() -> None:
    process = Process()
    process.sets.set = ParameterSet(number=2, published=2)
    assert [process.number(now) for now in (100.1, 100.9, 101.0, 101.1, 107.0)] == [1, 1, 2, 2, 2]
    assert process.sets.looks == 2


def test_without_an_answer_nothing_old_is_relied_on_and_few_ask_in_vain() -> None:
    process = Process()
    process.sets.away = True
    for now in (101.0, 101.2, 101.9):
        with pytest.raises(Unavailable):
            process.number(now)
    assert process.sets.looks == 1
    process.sets.away = False
    assert process.number(102.1) == 1


def test_what_gets_ready_does_not_make_the_rest_newly_known() -> None:
    process = Process()
    for number, published, now in ((2, 2, 110.0), (3, 2, 120.0), (4, 4, 130.0)):
        process.sets.set = ParameterSet(number, published, building={"Patient": ["nickname"]})
        process.number(now)
        assert process.parameters.known.since == {2: 110.0, 4: 130.0}[published]
