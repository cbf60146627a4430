"""What a search examines stays within bounds, however much there is; and no search reads a whole collection."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from fhir_server.outcome import TooCostly
from fhir_server.store.drive import INDEXES
from fhir_server.store.explained import explained
from fhir_server.store.find import find
from fhir_server.store.plan import Join, Order, Plan, Range, Sort
from fhir_server.store.reading import Deadline, Reading
from fhir_server.store.total import count, estimate

Document = dict[str, Any]

START = datetime(2026, 1, 1, tzinfo=UTC)
PATIENTS, EACH = 300, 10
SIZE = PATIENTS * EACH
# So many are few here.
FEW = 100


def observation(number: int) -> Document:
    id_, day = f"o{number:05}", START + timedelta(days=number % 365)
    return {
        "_id": id_, "v": 1, "raw": b"{}", "d": day, "ts": START + timedelta(seconds=number),
        "ix": ["_", f"subject=Patient/p{number % PATIENTS}", f"code={number % 7}", f"rare={number // 20}",
               f"value={number % 1000:04}"],
        "s": {"value": f"{number % 1000:04}\0{id_}", "code": f"{number % 7}\0{id_}"},
    }


def patient(number: int) -> Document:
    id_ = f"p{number}"
    return {
        "_id": id_, "v": 1, "raw": b"{}", "d": START, "ts": START, "s": {},
        "ix": ["_", f"gender={number % 2}", f"name={number:03}"],
    }


@pytest.fixture(scope="module")
def database(mongodb_uri: str) -> Iterator[Database[Document]]:
    with MongoClient[Document](mongodb_uri) as client:
        made = client["test_explained"]
        for type_, document, number in (("Observation", observation, SIZE), ("Patient", patient, PATIENTS)):
            for index in INDEXES.values():
                made[type_].create_index(list(index))
            made[type_].insert_many([document(one) for one in range(number)])
        yield made
        client.drop_database("test_explained")


def stretch(low: str, high: str) -> Range:
    return Range({"ix": {"$elemMatch": {"$gte": low, "$lt": high}}})


def ranged(*ranges: Range) -> dict[str, Any]:
    return {"ranges": ranges, "rest": [one.filter for one in ranges]}


def by(*fields: str) -> Order:
    return Order(tuple(Sort(one.removeprefix("-"), one.startswith("-")) for one in fields))


ONE = ["subject=Patient/p7"]
SEVENTH = ["code=3"]
FEMALE = Plan("Patient", keys=[["gender=1"]])
NAMED = Plan("Patient", keys=[["name=007"]])


@pytest.mark.parametrize("plan, index, examined", [
    (Plan("Observation"), "keys", 25),
    (Plan("Observation", keys=[ONE]), "keys", 25),
    (Plan("Observation", keys=[SEVENTH]), "keys", 25),
    (Plan("Observation", keys=[ONE, SEVENTH]), "keys", 25),
    (Plan("Observation", keys=[["rare=1", "rare=2"]]), "keys", 50),
    (Plan("Observation", order=by("ts")), "updated", 25),
    (Plan("Observation", order=by("_id")), "id", 25),
    (Plan("Observation", keys=[ONE], order=by("-ts")), "keys", 25),
    (Plan("Observation", **ranged(stretch("value=0003", "value=0005"))), "keys", 25),
    (Plan("Observation", **ranged(stretch("value=0", "value=1"))), "keys", 150),
    (Plan("Observation", order=by("s.value")), "keys sorted", 70),
    (Plan("Observation", order=by("-s.value")), "keys sorted", 70),
    (Plan("Observation", order=by("s.code", "-ts")), "keys sorted updated", 900),
    (Plan("Observation", order=by("s.value", "-d")), "sorted", 150),
    (Plan("Observation", joins=[[Join("subject", NAMED)]]), "keys", 30),
    (Plan("Observation", joins=[[Join("subject", FEMALE)]]), "keys id", 1000),
    (Plan("Patient", joins=[[Join("subject", Plan("Observation", keys=[["rare=1"]]), True)]]), "keys id", 100),
    (Plan("Patient", joins=[[Join("subject", Plan("Observation", keys=[SEVENTH]), True)]]), "keys", 1500),
])
def test_a_page_examines_little_and_by_an_index(
    database: Database[Document], plan: Plan, index: str, examined: int
) -> None:
    told = explained(plan, Reading(database, Deadline.after(), few=FEW))
    assert all(set(step.index.split()) <= set(index.split()) | {"keys", "id"} for step in told.steps), told.steps
    assert told.rows and sum(step.documents for step in told.steps) <= examined, told.steps


@pytest.mark.parametrize("plan, number", [
    (Plan("Observation"), SIZE),
    (Plan("Observation", keys=[SEVENTH]), 429),
    (Plan("Observation", keys=[["code=3", "code=4"]]), 857),
])
def test_a_total_by_keys_looks_at_no_resource(database: Database[Document], plan: Plan, number: int) -> None:
    seen: list[Document] = []
    reading = Reading(database, Deadline.after(), seen=seen)
    assert count(plan, reading) == number
    [command] = seen
    told = database.command("explain", {**command, "pipeline": command["pipeline"][:1]}, verbosity="queryPlanner")
    assert "COLLSCAN" not in str(told) and "IXSCAN" in str(told) or "COUNT_SCAN" in str(told)


NOWHERE = [{"ix": {"$regex": "^name=.*nobody"}}]


@pytest.mark.parametrize("run", [find, count])
def test_a_search_through_too_much_is_refused_by_what_it_is_about(
    database: Database[Document], run: Any
) -> None:
    reading = Reading(database, Deadline.after(), few=FEW, quick=1, examine=1000)
    with pytest.raises(TooCostly, match="more than 1,000 resources of type Observation by name"):
        run(Plan("Observation", rest=NOWHERE), reading)


def test_what_may_be_gone_through_is(database: Database[Document]) -> None:
    plan = Plan("Observation", rest=NOWHERE)
    reading = Reading(database, Deadline.after(), few=FEW, quick=1, examine=SIZE)
    assert (find(plan, reading).rows, count(plan, reading)) == ([], 0)


def test_an_estimate_is_near(database: Database[Document]) -> None:
    reading = Reading(database, Deadline.after(), few=FEW)
    assert 200 < estimate(Plan("Observation", keys=[SEVENTH]), reading) < 700
    assert estimate(Plan("Observation", keys=[ONE]), reading) == EACH
