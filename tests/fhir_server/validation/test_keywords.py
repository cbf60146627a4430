"""jsonschema-rs decides, jsonschema explains: they never disagree, so no refusal stays without a reason."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from fhir_server import fhirjson
from fhir_server.definitions.registry import load
from fhir_server.validation import explain
from fhir_server.validation.explain import Explainer
from fhir_server.validation.schema import Schemas
from fhir_server.validation.structure import Validator
from tests.r4_examples import examples

VALIDATOR = Validator(load())
EXPLAINER = Explainer(Schemas(load()), VALIDATOR.accepts)

STRANGE: list[Any] = [
    None, True, 0, -1, 2**31, 10**30, fhirjson.decode(b"1.50"), fhirjson.decode(b"1.0"), "", " ", "\n", "x\n", "\u3000",
    "2024-02-30", "2024-02-29", "final", "a\x00", [], {}, [None], [[]], [{}], {"id": "x"}, {"extension": []},
    {"resourceType": "Patient"}, [{"id": "x"}, None],
]


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yields the way to each value inside, e.g. ("name", 0, "family")."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inside:
        yield (*way, step)
        yield from places(one, (*way, step))


def mutated(resource: Any, random: Random) -> Any:
    """A copy of the resource with one thing changed, somewhere."""
    copy = fhirjson.decode(fhirjson.encode(resource))
    *way, last = random.choice(list(places(copy)))
    holder = copy
    for step in way:
        holder = holder[step]
    random.choice(MUTATIONS)(holder, last, random)
    return copy


def replace(holder: Any, step: Any, random: Random) -> None:
    holder[step] = random.choice(STRANGE)


def remove(holder: Any, step: Any, _: Random) -> None:
    del holder[step]


def wrap(holder: Any, step: Any, _: Random) -> None:
    holder[step] = [holder[step]]


def unwrap(holder: Any, step: Any, _: Random) -> None:
    inside = list(places(holder[step]))
    if inside:
        holder[step] = holder[step][inside[0][0]]


def companion(holder: Any, step: Any, random: Random) -> None:
    if isinstance(holder, dict):
        holder[f"_{step}"] = random.choice(STRANGE)


def rename(holder: Any, step: Any, random: Random) -> None:
    if isinstance(holder, dict):
        holder[random.choice(["_", "x", "value"]) + step] = holder.pop(step)


def second_form(holder: Any, _: Any, random: Random) -> None:
    if isinstance(holder, dict):
        holder[random.choice(["valueString", "valueBoolean", "_valueString", "effectiveDateTime"])] = "x"


MUTATIONS = [replace, remove, wrap, unwrap, companion, rename, second_form]
SMALL = [(name, raw) for name, raw in examples() if len(raw) < 8000]


@pytest.mark.parametrize("seed", range(8))
def test_both_decide_alike_on_mutated_examples(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain, "LONG", 10**9)
    random = Random(seed)
    for name, raw in random.sample(SMALL, 100):
        resource = mutated(fhirjson.decode(raw), random)
        explained = EXPLAINER.issues(resource)
        assert VALIDATOR.accepts(resource) == (not explained), (name, fhirjson.encode(resource))
        assert all(one.text and "valid under" not in one.text for one in explained)
