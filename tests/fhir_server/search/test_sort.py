"""Orders of several parameters: what comes first, what lacks a value, and pages of all sizes."""

import pytest

from fhir_server.definitions.registry import load
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.store.plan import Order, Sort
from fhir_server.store.store import Store
from tests.fhir_server.search.conftest import START, put


def patient(id: str, family: str = "", birth: str = "", gender: str = "") -> dict[str, object]:
    named: dict[str, object] = {"name": [{"family": family}]} if family else {}
    told = {name: value for name, value in (("birthDate", birth), ("gender", gender)) if value}
    return {"resourceType": "Patient", "id": id, **named, **told}


PATIENTS = [
    patient("a", "サトウ", "1990-01-01", "male"),
    patient("b", "アベ", "1985-01-01", "female"),
    patient("c", "サトウ", "2001-12-31", "female"),
    patient("d", "", "1970-01-01"),
    patient("e", "サトウ"),
    patient("f", "ワダ", "1990-01-01"),
    patient("g"),
]


@pytest.mark.parametrize("text, by", [
    ("family,-birthdate,_id", [("s.family", False), ("s.birthdate", True), ("_id", False)]),
    ("-_lastUpdated", [("ts", True)]),
    ("_id,family", [("_id", False)]),
    ("family,-family,birthdate", [("s.family", False), ("s.birthdate", False)]),
])
def test_an_order_has_a_key_for_each_parameter_that_orders(text: str, by: list[tuple[str, bool]]) -> None:
    assert parse("Patient", [("_sort", text)], load()).order == Order(tuple(Sort(*one) for one in by))


@pytest.mark.parametrize("sort, found", [
    ("family", "bacefdg"),
    ("family,birthdate", "bacefdg"),
    ("family,-birthdate", "bcaefdg"),
    ("-family,birthdate,_id", "facebdg"),
    ("birthdate,family", "dbafceg"),
    ("-birthdate,-_id", "cfabdge"),
    ("-_id", "gfedcba"),
    ("_lastUpdated", "abcdefg"),
    ("family,-_lastUpdated", "becafgd"),
])
def test_pages_of_an_order_follow_each_other(store: Store, sort: str, found: str) -> None:
    put(store, PATIENTS)
    pages = {size: walked(store, sort, size) for size in (1, 2, 3, 7)}
    assert all(len(page) == size for size, all_ in pages.items() for page in all_[:-1])
    assert {size: "".join(all_) for size, all_ in pages.items()} == dict.fromkeys(pages, found)


def walked(store: Store, sort: str, size: int) -> list[str]:
    pages, token = [], [("_sort", sort), ("_count", str(size))]
    while True:
        query = parse("Patient", token, load(), key=b"secret", now=lambda: START)
        page = store.find(plan(query))
        pages.append("".join(one.id for one in page.rows))
        if page.more is None:
            return pages
        token = [*token[:2], ("_page", query.page(page.more, b"secret", START))]
