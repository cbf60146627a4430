"""Queries as the store is asked them: what drives, what sifts."""

import pytest

from fhir_server.definitions.registry import load
from fhir_server.search.plan import plan
from fhir_server.search.query import Pair, parse
from fhir_server.store.plan import Filter


@pytest.mark.parametrize("pair, keys, rest", [
    (("status", "final,amended"), (("status=final", "status=amended"),), ()),
    (("status:not", "final,amended"), (), ({"$nor": [{"ix": {"$in": ["status=final", "status=amended"]}}]},)),
    (("code", "a,urn:s|,b"), (),
     ({"$or": [{"ix": {"$in": ["code=a", "code=b"]}},
               {"ix": {"$elemMatch": {"$gte": "code=urn:s|", "$lt": "code=urn:s|\U0010ffff"}}}]},)),
    (("status:not", "urn:other|final"), (), ({"$nor": [{"ix": {"$in": []}}]},)),
])
def test_all_keys_of_a_criterion_are_asked_at_once(
    pair: Pair, keys: tuple[tuple[str, ...], ...], rest: tuple[Filter, ...]
) -> None:
    made = plan(parse("Observation", [pair], load()))
    assert (made.keys, made.rest) == (keys, rest)
