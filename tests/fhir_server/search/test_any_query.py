"""Whatever a query says: it is read, or refused by name; never does reading it fail."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhir_server.definitions.registry import load
from fhir_server.outcome import FHIRError
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.store.store import Store

TYPES = ("Observation", "Patient", "Encounter", "List", "QuestionnaireResponse", "Location", "ValueSet")
CODES = sorted({code for type in TYPES for code in load().search_parameters(type)})
PARTS = st.sampled_from([
    *CODES, *TYPES, "_include", "_revinclude", "_sort", "_count", "_total", "_page", "_filter", "_has", "_list",
    "_text", "_query",
    "_query", "missing", "not", "exact", "contains", "text", "in", "not-in", "above", "below", "of-type", "identifier",
    "iterate", "recurse", "*", "", "\0", "x" * 300, "山田",
])
NAMES = st.one_of(
    st.sampled_from(CODES),
    st.lists(PARTS, min_size=1, max_size=6).flatmap(
        lambda parts: st.sampled_from([":".join(parts), ".".join(parts), ":".join(parts[:2]) + "." + parts[-1]])),
    st.text(max_size=30),
)
WORDS = st.sampled_from([
    *CODES, *TYPES, "eq", "ne", "ge", "and", "or", "not", "(", ")", '"', '"山田"', "[", "]", "true", "false", "|", "||",
    "$", ",", "\\", "-", "2024", "2024-02-31", "0000", "9999-12-31T23:59:60Z", "ge2024-05-01T09:30:00+14:00", "1e999",
    "5.40", "-1", "ap0", "Patient/1", "http://a|b", "urn:x", "$current", "*", "\0", "\ud800", "^.*[", "९", " ",
    "x" * 2001, "0|0|1|km", "91|181",
])
VALUES = st.one_of(
    WORDS, st.text(max_size=40), st.lists(WORDS, max_size=8).map("".join), st.lists(WORDS, max_size=8).map(" ".join),
    st.lists(WORDS, max_size=5).map(":".join), st.lists(WORDS, max_size=5).map("|".join),
    st.lists(WORDS, max_size=5).map("$".join),
)


QUERIES = st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=3)


@settings(max_examples=1000, deadline=None)
@given(st.sampled_from(TYPES), QUERIES, st.booleans())
def test_no_query_makes_the_server_fail(type: str, pairs: list[tuple[str, str]], lenient: bool) -> None:
    try:
        plan(parse(type, pairs, load(), lenient, key=b"secret"), ["_src=1"])
    except FHIRError as refused:
        assert 400 <= refused.status < 500


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(TYPES), st.tuples(NAMES, VALUES))
def test_no_search_makes_the_database_fail(store: Store, type: str, pair: tuple[str, str]) -> None:
    try:
        wanted = plan(parse(type, [pair], load(), key=b"secret"))
        assert len(store.find(wanted).rows) == store.count(wanted) == 0
    except FHIRError as refused:
        assert 400 <= refused.status < 500
