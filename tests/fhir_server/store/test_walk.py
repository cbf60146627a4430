"""Random plans over random resources, against a plain evaluation: each match once, in order, counted right."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cmp_to_key
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.database import Database

from fhir_server.store.drive import INDEXES
from fhir_server.store.find import Found, find
from fhir_server.store.plan import Join, Order, Plan, Range, Sort
from fhir_server.store.reading import Deadline, Reading
from fhir_server.store.total import count, estimate

Document = dict[str, Any]
Data = Mapping[str, Sequence[Document]]

# As the database tells it: UTC, without a zone.
START = datetime(2026, 1, 1)
TYPES = ("Basic", "Patient")
SIZE = 9


@pytest.fixture(scope="module")
def database(mongodb_uri: str) -> Iterator[Database[Document]]:
    with MongoClient[Document](mongodb_uri) as client:
        for type_ in TYPES:
            for index in INDEXES.values():
                client["test_walk"][type_].create_index(list(index))
        yield client["test_walk"]
        client.drop_database("test_walk")


KEYS = ("k=0", "k=1", "k=2")
FIELDS = ("d", "ts", "_id", "s.x", "s.y-z")
# What starts like another, and what comes before and behind all letters.
TEXTS = ("", "a", "ab", "あ", "\U0001f600")


def document(chance: Random, id_: str) -> Document:
    live = chance.random() < 0.9
    others = [f"to={chance.choice(TYPES)}/i{chance.randrange(SIZE)}" for _ in range(chance.randrange(4))]
    keys = {"_", *chance.sample(KEYS, chance.randrange(3)), f"n={chance.randrange(6)}", f"n={chance.randrange(6)}"}
    values = {code: f"{chance.choice(TEXTS)}\0{id_}" for code in ("x", "y-z") if chance.random() < 0.7}
    return {
        "_id": id_, "v": 1, "raw": id_.encode(), "del": not live,
        "d": START + timedelta(days=chance.randrange(3)), "ts": START + timedelta(days=chance.randrange(4)),
        "ix": sorted({*keys, *others}) if live else [], "s": values if live else {},
    }


def a_plan(chance: Random, depth: int = 2) -> Plan:
    ranges = []
    if chance.random() < 0.3:
        low, high = sorted(f"n={chance.randrange(7)}" for _ in range(2))
        ranges.append(Range({"ix": {"$elemMatch": {"$gte": low, "$lt": high}}}))
    if chance.random() < 0.2:
        ranges.append(Range({"ts": {"$gte": START + timedelta(days=chance.randrange(3))}}, "updated"))
    refused = [{"$nor": [{"ix": chance.choice(KEYS)}]}] if chance.random() < 0.2 else []
    return Plan(
        type=chance.choice(TYPES),
        keys=[chance.sample(KEYS, chance.choice((1, 2))) for _ in range(chance.choice((0, 0, 1, 2)))],
        rest=[*(one.filter for one in ranges), *refused],
        ranges=ranges,
        joins=[joins(chance, depth - 1) for _ in range(chance.choice((0, 1, 1, 2)))] if depth else (),
        dated=[{"$gte": START + timedelta(days=1)}] if chance.random() < 0.2 else (),
        order=Order(tuple(Sort(one, chance.random() < 0.5) for one in chance.sample(FIELDS, chance.randint(1, 4)))),
        limit=chance.randint(1, 4),
        shown=chance.choice(((), ("to",))),
    )


def joins(chance: Random, depth: int) -> Sequence[Join]:
    return [Join("to", a_plan(chance, depth), chance.random() < 0.5) for _ in range(chance.choice((1, 1, 2)))]


@given(st.integers(0, 2**64))
@settings(max_examples=50, deadline=None)
def test_every_match_is_found_once_in_order(database: Database[Document], seed: int) -> None:
    chance = Random(seed)
    data = {type_: [document(chance, f"i{number}") for number in range(chance.randint(1, SIZE))] for type_ in TYPES}
    for type_ in TYPES:
        database[type_].delete_many({})
        database[type_].insert_many(data[type_])
    for _ in range(5):
        plan, few, joined = a_plan(chance), chance.choice((1, 3, 2000)), chance.choice((1, 2, 200))
        reading = Reading(database, Deadline.after(), few=few, joined=joined)
        expected = sorted((one for one in data[plan.type] if matches(one, plan, data)), key=in_order(plan))
        assert walked(plan, reading) == [found(one, plan) for one in expected]
        assert count(plan, reading) == len(expected)
        assert few < 2000 or joined < 200 or estimate(plan, reading) == len(expected)


def walked(plan: Plan, reading: Reading) -> list[Found]:
    """The rows of all pages; only the last may be short."""
    page = find(plan, reading)
    rows = [*page.rows]
    while page.more:
        assert len(page.rows) == plan.limit
        page = find(replace(plan, after=page.more), reading)
        rows += page.rows
    return rows


def found(one: Document, plan: Plan) -> Found:
    shown = [key for key in one["ix"] if key.startswith("to=")] if plan.shown else ()
    return Found(one["_id"], 1, one["ts"], one["raw"], shown)


def matches(one: Document, plan: Plan, data: Data) -> bool:
    return (
        not one["del"]
        and all(any(key in one["ix"] for key in keys) for keys in plan.keys)
        and all(fits(one, filter) for filter in plan.rest)
        and all(one["d"] >= dated["$gte"] for dated in plan.dated)
        and all(any(joined_by(one, join, plan.type, data) for join in ways) for ways in plan.joins)
    )


def fits(one: Document, filter: Mapping[str, Any]) -> bool:
    match filter:
        case {"ix": {"$elemMatch": {"$gte": low, "$lt": high}}}:
            return any(low <= key < high for key in one["ix"])
        case {"ts": {"$gte": since}}:
            return bool(one["ts"] >= since)
        case {"$nor": [{"ix": key}]}:
            return key not in one["ix"]
    raise AssertionError(filter)


def joined_by(one: Document, join: Join, type_: str, data: Data) -> bool:
    other = (each for each in data[join.plan.type] if matches(each, join.plan, data))
    if join.reverse:
        return any(f"{join.code}={type_}/{one['_id']}" in each["ix"] for each in other)
    return any(f"{join.code}={join.plan.type}/{each['_id']}" in one["ix"] for each in other)


def in_order(plan: Plan) -> Callable[[Document], Any]:
    def compared(a: Document, b: Document) -> int:
        return compare(a, b, plan)

    return cmp_to_key(compared)


def compare(a: Document, b: Document, plan: Plan) -> int:
    """Below 0 where `a` comes first. What lacks a value comes last; at the end the ids run as the last key's index."""
    for sort in plan.order.by:
        left, right = held(a, sort.field), held(b, sort.field)
        if left is None or right is None:
            if (left is None) != (right is None):
                return 1 if left is None else -1
        elif left != right:
            return (-1 if left < right else 1) * (-1 if sort.descending else 1)
    last = plan.order.by[-1]
    falling = last.descending != (last.field == "d")
    return (-1 if a["_id"] < b["_id"] else 1) * (-1 if falling else 1)


def held(one: Document, field: str) -> Any:
    if not field.startswith("s."):
        return one[field]
    stored = one["s"].get(field.removeprefix("s."))
    return stored if stored is None else stored.removesuffix("\0" + one["_id"])


def test_times_are_told_in_utc(database: Database[Document]) -> None:
    database["Basic"].delete_many({})
    database["Basic"].insert_one({
        "_id": "one", "v": 3, "raw": b"{}", "d": START, "ts": START, "ix": ["_", "to=Patient/p"], "s": {"x": "あ\0one"}})
    by = Order((Sort("s.x"), Sort("d"), Sort("ts"), Sort("s.y"), Sort("_id")))
    page = find(Plan("Basic", order=by), Reading(database, Deadline.after()))
    assert page.rows[0].updated == START.replace(tzinfo=UTC)
