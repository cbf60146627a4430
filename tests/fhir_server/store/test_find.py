"""Pages and counts of more matches than are ever sorted, by whatever drives them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection

from fhir_server.outcome import TooCostly
from fhir_server.store import find as finding
from fhir_server.store import total
from fhir_server.store.drive import INDEXES
from fhir_server.store.find import ANSWER_LIMIT, Deadline, Found, Page
from fhir_server.store.plan import Order, Plan, Position, Range, Sort
from fhir_server.store.reading import FEW, Reading

Documents = Collection[dict[str, Any]]

START = datetime(2026, 1, 1, tzinfo=UTC)
SIZE = FEW + 500
BY_NUMBER = Range({"ix": {"$elemMatch": {"$gte": "number=0", "$lt": "number=9"}}})
LOW = Range({"ix": {"$elemMatch": {"$gte": "number=0000", "$lt": "number=0010"}}})
NOWHERE = Range({"ix": {"$elemMatch": {"$gte": "z", "$lt": "zz"}}})
THREE_IDS = Range({"_id": {"$in": ["0001", "0000", "0002", "none"]}}, "id")
THREE_LATEST = Range({"ts": {"$gt": START - timedelta(seconds=3)}}, "updated")


def find(documents: Documents, plan: Plan, deadline: Deadline, limit_bytes: int = ANSWER_LIMIT) -> Page:
    return finding.find(plan, Reading(documents.database, deadline), limit_bytes)


def count(documents: Documents, plan: Plan, deadline: Deadline) -> int:
    return total.count(plan, Reading(documents.database, deadline))


def ranged(*ranges: Range) -> dict[str, Any]:
    """Criteria of a plan that ask for these ranges."""
    return {"ranges": ranges, "rest": [one.filter for one in ranges]}


def document(number: int) -> dict[str, Any]:
    """Two in a row share their clinical date; every fourth is odd; the last update runs the other way."""
    return {
        "_id": f"{number:04}", "v": 1, "raw": b"{}",
        "d": START + timedelta(days=number // 2), "ts": START - timedelta(seconds=number),
        "ix": ["_", f"number={number:04}", f"number={number:04}x", f"odd={number % 4 == 3}"],
    }


@pytest.fixture(scope="module")
def documents(mongodb_uri: str) -> Iterator[Documents]:
    with MongoClient[dict[str, Any]](mongodb_uri, tz_aware=True) as client:
        collection = client["test_find"]["Basic"]
        for index in INDEXES.values():
            collection.create_index(list(index))
        collection.insert_many([document(number) for number in range(SIZE)])
        collection.insert_one({**document(SIZE), "ix": [], "del": True})
        yield collection
        client.drop_database("test_find")


def walked(documents: Documents, plan: Plan) -> list[str]:
    """The ids of all pages."""
    page = find(documents, plan, Deadline.after())
    found = [one.id for one in page.rows]
    while page.more:
        page = find(documents, replace(plan, after=page.more), Deadline.after())
        found += [one.id for one in page.rows]
    return found


NUMBERS = [f"{number:04}" for number in range(SIZE)]
NEWEST = sorted(NUMBERS, key=lambda one: (-(int(one) // 2), one))
ODD = {one for one in NUMBERS if int(one) % 4 == 3}


@pytest.mark.parametrize("plan, found", [
    (Plan("Basic"), NEWEST),
    (Plan("Basic", **ranged(BY_NUMBER)), NEWEST),
    (Plan("Basic", keys=[["odd=False", "odd=True"]]), NEWEST),
    (Plan("Basic", keys=[["odd=False", "odd=True"]], **ranged(BY_NUMBER)), NEWEST),
    (Plan("Basic", order=Order((Sort("d", False),))), NEWEST[::-1]),
    (Plan("Basic", order=Order((Sort("ts", False),))), NUMBERS[::-1]),
    (Plan("Basic", order=Order((Sort("ts", True),)), **ranged(BY_NUMBER)), NUMBERS),
    (Plan("Basic", order=Order((Sort("ts", True),)), keys=[["odd=False", "odd=True"]]), NUMBERS),
    (Plan("Basic", order=Order((Sort("_id", False),))), NUMBERS),
    (Plan("Basic", order=Order((Sort("_id", True),)), **ranged(BY_NUMBER)), NUMBERS[::-1]),
    (Plan("Basic", keys=[["odd=True"]]), [one for one in NEWEST if one in ODD]),
    (Plan("Basic", keys=[["odd=True"]], order=Order((Sort("_id", False),))), [one for one in NUMBERS if one in ODD]),
    (Plan("Basic", rest=[{"$nor": [{"ix": "odd=False"}]}]), [one for one in NEWEST if one in ODD]),
    (Plan("Basic", **ranged(LOW)), NEWEST[-10:]),
    (Plan("Basic", **ranged(LOW, BY_NUMBER), keys=[["odd=True"]]), ["0007", "0003"]),
    (Plan("Basic", **ranged(THREE_IDS)), ["0002", "0000", "0001"]),
    (Plan("Basic", **ranged(THREE_LATEST)), ["0002", "0000", "0001"]),
    (Plan("Basic", dated=[{"$lt": START + timedelta(days=2)}]), ["0002", "0003", "0000", "0001"]),
    (Plan("Basic", keys=[[]]), []),
    (Plan("Basic", **ranged(NOWHERE)), []),
])
def test_every_match_is_on_one_page_and_counted_once(documents: Documents, plan: Plan, found: list[str]) -> None:
    assert walked(documents, replace(plan, limit=400)) == found
    assert count(documents, plan, Deadline.after()) == len(found)


def test_a_page_tells_where_the_next_one_starts(documents: Documents) -> None:
    page = find(documents, Plan("Basic", limit=1), Deadline.after())
    newest = document(SIZE - 2)
    assert page.rows == [Found(newest["_id"], 1, newest["ts"].replace(tzinfo=None), b"{}")]
    assert page.rows[0].updated == newest["ts"]
    assert page.more == Position([newest["d"]], newest["_id"])


@pytest.mark.parametrize("limit_bytes, pages", [
    (0, [1] * 5), (3, [1] * 5), (4, [2, 2, 1]), (7, [3, 2]), (10, [5]),
])
def test_a_page_ends_before_its_rows_are_too_many_bytes(
    documents: Documents, limit_bytes: int, pages: list[int]
) -> None:
    plan = Plan("Basic", keys=[[f"number={number:04}" for number in range(5)]], limit=5)
    page = find(documents, plan, Deadline.after(), limit_bytes)
    found = [len(page.rows)]
    while page.more:
        page = find(documents, replace(plan, after=page.more), Deadline.after(), limit_bytes)
        found.append(len(page.rows))
    assert found == pages


def test_what_takes_too_long_is_refused_with_advice(documents: Documents) -> None:
    many = {"$range": [0, {"$multiply": ["$v", 100_000]}]}
    added = {"$reduce": {"input": many, "initialValue": 0, "in": {"$add": ["$$value", "$$this"]}}}
    slow = Plan("Basic", rest=[{"$expr": {"$lt": [added, 0]}}])
    for run in (find, count):
        with pytest.raises(TooCostly, match="Name a patient"):
            run(documents, slow, Deadline.after(50))


def test_a_search_whose_time_is_spent_asks_no_more(documents: Documents) -> None:
    for run in (find, count):
        with pytest.raises(TooCostly, match="Name a patient"):
            run(documents, Plan("Basic"), Deadline.after(0))


def test_an_empty_database_has_no_matches(mongodb_uri: str) -> None:
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        nowhere = client["test_find"]["Nothing"]
        for order in (Order((Sort("d"),)), Order((Sort("ts"),)), Order((Sort("_id"),))):
            plan = Plan("Nothing", keys=[["a=b"]], **ranged(BY_NUMBER), order=order)
            assert (find(nowhere, plan, Deadline.after()).rows, count(nowhere, plan, Deadline.after())) == ([], 0)
