"""Every standard search parameter with an expression finds what looking at each of half the official examples finds."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import pytest

from fhir_server.access.caller import SYSTEM
from fhir_server.context import Context
from fhir_server.definitions.registry import SearchParameter, load
from fhir_server.fhirjson import decode
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.search.searchable import alternatives
from fhir_server.transact import Create, transact
from tests.fhir_server.fhirpath.test_compile import interpreted, plain
from tests.plain_search import QUESTIONS, Question
from tests.r4_examples import WRONG, examples

# Of each parameter of each type.
MOST = 12
# Their values are no dates, or are within ranges; they have rows of their own in tests/fhir_server/search/parameters.
OTHER = ("repeat", "low", "high", "numerator")

# What is scheduled may be told in words; those of an example look like a date, and are none.
WORDS = (("CarePlan", "activity-date"),)

BY_TYPE = [
    (type, [decode(raw) for name, raw in found if name not in WRONG])
    for type, found in groupby(examples(), key=lambda one: one[0].partition("-")[0])
]


@pytest.mark.parametrize("type, resources", BY_TYPE, ids=[type for type, _ in BY_TYPE])
def test_search_finds_what_looking_at_each_resource_finds(type: str, resources: list[Any], context: Context) -> None:
    transact([Create(one, one["id"]) for one in resources], context, SYSTEM)
    for parameter in asked(type):
        values = {one["id"]: valued(parameter, type, one) for one in resources}
        for question in questions(parameter, [value for found in values.values() for value in found]):
            expected = sorted(id_ for id_, found in values.items() if any(map(question.holds, found)))
            assert searched(type, parameter, question, context) == expected, (parameter.code, question)


def asked(type: str) -> Iterator[SearchParameter]:
    for parameter in load().search_parameters(type).values():
        standard = parameter.type in QUESTIONS and parameter.expression and not parameter.code.startswith("_")
        if standard and (type, parameter.code) not in WORDS:
            yield parameter


def valued(parameter: SearchParameter, type: str, resource: Any) -> list[Any]:
    expression = " | ".join(alternatives(parameter.expression, type))
    found = interpreted(expression, type)(plain(resource)) if expression else []
    return [one for one in found if not (isinstance(one, dict) and any(name in one for name in OTHER))]


def questions(parameter: SearchParameter, values: Sequence[Any]) -> list[Question]:
    return list(QUESTIONS[parameter.type](values))[:MOST]


def searched(type: str, parameter: SearchParameter, question: Question, context: Context) -> list[str]:
    pairs = [(parameter.code + question.modifier, question.text), ("_count", "1000")]
    query = parse(type, pairs, context.definitions)
    return sorted(one.id for one in context.store.find(plan(query)).rows)
