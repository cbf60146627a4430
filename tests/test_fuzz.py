"""Some bad inputs, the same each time; `make soak` goes on for minutes. A failure names the input."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.process import Serve
from tests.soak import fuzz

SEED = 1


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    one = Serve(tmp_path_factory.mktemp("fuzz"), ("--open",))
    with one.running():
        yield one


@pytest.mark.parametrize("tries", (fuzz.maps, fuzz.storage), ids=("messages", "files"))
def test_the_maps_give_valid_resources_or_a_reason(tries: Callable[[Random, fuzz.Turns], int]) -> None:
    assert tries(Random(SEED), range(4000)) == 4000


@pytest.mark.parametrize("tries", (fuzz.frames, fuzz.bodies, fuzz.junk), ids=("MLLP", "REST", "drop folder"))
def test_the_server_answers_and_lives(tries: Callable[[Random, fuzz.Turns, Serve], int], serve: Serve) -> None:
    assert tries(Random(SEED), range(100), serve) == 100
