"""Searches as text: what is refused, what is ignored, how pages go on."""

from datetime import timedelta
from typing import Any

import pytest

from fhir_server.definitions.registry import load
from fhir_server.outcome import BadRequest, FHIRError, NotSupported
from fhir_server.search.plan import plan
from fhir_server.search.query import Pair, parse
from fhir_server.store.store import Store
from tests.fhir_server.search.conftest import START, Search, put


@pytest.mark.parametrize("name, value, error, text", [
    ("colour", "red", NotSupported, "Observation has no search parameter colour here."),
    ("_query", "x", NotSupported, "Named queries (_query) are not supported."),
    ("_contained", "true", NotSupported, "Contained resources are not searched (_contained)."),
    ("_type", "Patient", NotSupported, "Observation has no search parameter _type here."),
    ("code:exact", "x", NotSupported, "code does not support :exact, only :"),
    ("subject:Organisation", "x", NotSupported, "subject does not support :Organisation, only :"),
    ("_id:missing", "true", NotSupported, "_id does not support :missing."),
    ("_sort", "colour", NotSupported, "_sort by 'colour' is not supported for Observation, only by _lastUpdated"),
    ("_sort", "-date,,_id", BadRequest, "_sort has an empty value."),
    ("_sort", ",".join(["date"] * 11), BadRequest, "_sort has at most 10 parameters, this one has 11."),
    ("_total", "exact", NotSupported, "_total is none, estimate or accurate, not 'exact'."),
    ("code", "", BadRequest, "code has an empty value."),
    ("code", "a,,b", BadRequest, "code has an empty value."),
    ("value-string", "　", BadRequest, "value-string has an empty value."),
    ("code:missing", "yes", BadRequest, "code:missing is true or false, not 'yes'."),
    ("date", "yesterday", BadRequest,
     "date: 'yesterday' is no date such as 2024, 2024-05-01 or ge2024-05-01T09:30:00+09:00."),
    ("date", "xx2024", BadRequest,
     "date: 'xx2024' is no date such as 2024, 2024-05-01 or ge2024-05-01T09:30:00+09:00."),
    ("value-quantity", "5|mg", BadRequest,
     "value-quantity: '5|mg' is no quantity such as 5.4, 5.4||mg or 5.4|http://unitsofmeasure.org|mg."),
    ("value-quantity", "many", BadRequest, "value-quantity: 'many' is no number such as 5.4 or ge5.4."),
    ("subject:Patient", "Group/1", BadRequest, "subject:Patient: 'Group/1' is no id of a Patient."),
    ("_count", "ten", BadRequest, "_count is a number of rows, not 'ten'."),
    ("_count", "-1", BadRequest, "_count is a number of rows, not '-1'."),
    ("_count", "१", BadRequest, "_count is a number of rows, not '१'."),
    ("code", ",".join(["x"] * 201), BadRequest, "code: at most 200 values, this one has 201."),
    ("code", "x" * 2001, BadRequest, "code: a value has at most 2000 characters."),
    ("code", "\ud800", BadRequest, "'code' or its value is not Unicode text."),
    ("focus", "1,2", BadRequest, "focus: too many values without a type. Write Account/123 instead of 123."),
    ("_page", "x", BadRequest, "_page is not a page of this search. Start again without it."),
])
def test_what_cannot_be_searched_is_refused_by_name(name: str, value: str, error: type[FHIRError], text: str) -> None:
    with pytest.raises(error) as refused:
        parse("Observation", [(name, value)], load(), key=b"secret", now=lambda: START)
    assert str(refused.value).startswith(text)


def test_a_refusal_tells_the_place() -> None:
    with pytest.raises(BadRequest) as refused:
        parse("Observation", [("code", "x"), ("_count", "ten")], load())
    assert refused.value.as_fhir() == {
        "resourceType": "OperationOutcome",
        "issue": [{
            "severity": "error",
            "code": "invalid",
            "details": {"text": "_count is a number of rows, not 'ten'."},
            "diagnostics": "_count is a number of rows, not 'ten'.",
            "expression": ["http._count"],
        }],
    }


@pytest.mark.parametrize("pairs, text", [
    ([("code", "x")] * 101, "A search has at most 100 parameters, this one has 101."),
    ([("code", ",".join(["x" * 2000] * 60))], "A search has at most 100000 characters."),
    ([("_count", "1"), ("_count", "2")], "_count is given more than once."),
    ([("_include", "Observation:subject")] * 31, "A search has at most 30 _include and _revinclude."),
    ([("value-string:contains", "a,b,c")] * 4, "A search has at most 10 values with :contains, this one has 12."),
    ([("date", ",".join(["2024"] * 100))] * 6,
     "A search has at most 500 values that are no plain codes, identifiers or references, this one has 600."),
])
def test_a_search_has_limits(pairs: list[Pair], text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse("Observation", pairs, load())
    assert str(refused.value) == text


def test_a_lenient_search_leaves_out_what_is_not_supported_and_says_so() -> None:
    query = parse("Observation", [("colour", "red"), ("code", "x"), ("_count", "5000")], load(), lenient=True)
    assert (query.used, query.ignored) == (
        (("code", "x"), ("_count", "1000")), ("Observation has no search parameter colour here.",))


def test_a_lenient_search_still_refuses_what_it_cannot_read() -> None:
    with pytest.raises(BadRequest):
        parse("Observation", [("date", "yesterday")], load(), lenient=True)


def observation(id: str, **content: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, **content}


OBSERVATIONS = [
    observation("c", effectiveDateTime="2024-05-03"),
    observation("a", effectiveDateTime="2024-05-01"),
    observation("b", effectiveDateTime="2024-05-01"),
    observation("d", effectiveDateTime="2024-05-02", status="amended"),
]


@pytest.mark.parametrize("value, count", [("0", 0), ("7", 7), ("1000", 1000), ("1001", 1000), ("9" * 1000, 1000)])
def test_a_count_is_no_more_than_the_server_gives(value: str, count: int) -> None:
    query = parse("Observation", [("_count", value)], load())
    assert (query.count, query.used) == (count, (("_count", str(count)),))


@pytest.mark.parametrize("query, found", [
    ("_id=a", ["a"]),
    ("_id=a,c,zz", ["c", "a"]),
    ("_id=a&status=amended", []),
    ("_lastUpdated=2026-04-01T00:01:00Z", ["a"]),
    ("_lastUpdated=gt2026-04-01T00:01:00Z", ["d", "b"]),
    ("_lastUpdated=ge2026-04-01T00:01:00Z&_lastUpdated=lt2026-04-01T00:02:30Z", ["a", "b"]),
    ("_lastUpdated=ne2026-04-01T00:01:00Z", ["c", "d", "b"]),
    ("_lastUpdated=2026-04-01T00:00:00Z,2026-04-01T00:03:00Z", ["c", "d"]),
    ("_lastUpdated=2026-03", []),
    ("_sort=date", ["b", "a", "d", "c"]),
    ("_sort=-date", ["c", "d", "a", "b"]),
    ("_sort=_lastUpdated", ["c", "a", "b", "d"]),
    ("_sort=-_lastUpdated", ["d", "b", "a", "c"]),
    ("_sort=-_lastUpdated&status=final", ["b", "a", "c"]),
    ("_sort=_id", ["a", "b", "c", "d"]),
    ("_sort=-_id&status=final", ["c", "b", "a"]),
    ("_sort=_id,-date,_lastUpdated", ["a", "b", "c", "d"]),
    ("_sort=_lastUpdated&date=2024-05-01,2024-05-02", ["a", "b", "d"]),
    ("status=final,amended&date=le2024-05-02&_id=d,c", ["d"]),
])
def test_ids_updates_and_order(search: Search, query: str, found: list[str]) -> None:
    assert search(OBSERVATIONS, f"Observation?{query}") == found


def test_a_type_of_which_nothing_is_stored_is_found_empty(search: Search) -> None:
    assert search([], "VisionPrescription?status=active&_sort=-_lastUpdated&_id=x") == []


def pages(store: Store, pairs: list[Pair]) -> list[list[str]]:
    """All pages of a search, each reached by the token of the one before."""
    found, token = [], ""
    while True:
        paged = [*pairs, *([("_page", token)] if token else [])]
        query = parse("Observation", paged, load(), key=b"secret", now=lambda: START)
        page = store.find(plan(query))
        found.append([one.id for one in page.rows])
        if page.more is None:
            return found
        token = query.page(page.more, b"secret", START)


@pytest.mark.parametrize("sort, found", [
    ("-date", [["c", "d"], ["a", "b"]]),
    ("date", [["b", "a"], ["d", "c"]]),
    ("_lastUpdated", [["c", "a"], ["b", "d"]]),
    ("-_lastUpdated", [["d", "b"], ["a", "c"]]),
    ("_id", [["a", "b"], ["c", "d"]]),
    ("-_id", [["d", "c"], ["b", "a"]]),
])
def test_pages_follow_each_other_without_gap_or_repetition(store: Store, sort: str, found: list[list[str]]) -> None:
    put(store, OBSERVATIONS)
    assert pages(store, [("_sort", sort), ("_count", "2")]) == found
    assert pages(store, [("_sort", sort), ("_count", "2"), ("date", "ge2020"), ("status:not", "x")]) == found
    assert pages(store, [("_sort", sort), ("_count", "2"), ("status", "final,amended")]) == found
    assert pages(store, [("_sort", sort), ("_count", "1")]) == [[one] for page in found for one in page]


def token(store: Store, *pairs: Pair) -> str:
    query = parse("Observation", [*pairs, ("_count", "1")], load(), key=b"secret", now=lambda: START)
    more = store.find(plan(query)).more
    assert more is not None
    return query.page(more, b"secret", START)


def test_a_page_token_is_good_only_for_its_own_search(store: Store) -> None:
    put(store, OBSERVATIONS)
    good = token(store, ("status", "final"))
    altered = good[:-1] + ("A" if good[-1] != "A" else "B")
    for type, status, text, key in [
        ("Observation", "amended", good, b"secret"),
        ("Condition", "final", good, b"secret"),
        ("Observation", "final", good, b"other"),
        ("Observation", "final", good, b""),
        ("Observation", "final", altered, b"secret"),
        ("Observation", "final", "", b"secret"),
        ("Observation", "final", "ü€%", b"secret"),
    ]:
        name = "status" if type == "Observation" else "clinical-status"
        with pytest.raises(BadRequest, match="_page"):
            parse(type, [(name, status), ("_page", text)], load(), key=key, now=lambda: START)


def test_a_page_token_is_good_for_a_day_by_the_clock_of_the_server(store: Store) -> None:
    put(store, OBSERVATIONS)
    pairs = [("status", "final"), ("_page", token(store, ("status", "final")))]
    for age, text in [(timedelta(hours=23), None), (timedelta(hours=24), "_page has expired"),
                      (timedelta(minutes=-6), "_page has expired")]:
        try:
            parse("Observation", pairs, load(), key=b"secret", now=lambda: START + age)
            told = None
        except BadRequest as refused:
            told = str(refused).partition(":")[0]
        assert told == text


def test_only_what_the_caller_may_see_is_found_and_counted(store: Store) -> None:
    put(store, OBSERVATIONS)
    query = parse("Observation", [("status", "final,amended")], load())
    allowed = plan(query, ["status=amended"])
    assert ([one.id for one in store.find(allowed).rows], store.count(allowed)) == (["d"], 1)


def test_absolute_references_to_this_server_are_its_own(store: Store) -> None:
    put(store, [observation("o", subject={"reference": "Patient/1"})])
    base = "http://127.0.0.1:8080/fhir"
    query = parse("Observation", [("subject", f"{base}/Patient/1")], load(), base=base)
    assert [one.id for one in store.find(plan(query)).rows] == ["o"]
