"""`kakehashi explain` on a database with two Observations."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from fhir_server.explain import command
from fhir_server.outcome import BadRequest, NotFound, NotSupported
from tests.conftest import DATABASE
from tests.server import Client

Explain = Callable[[str], Result]


@pytest.fixture
def explain(fhir: Client, mongodb_uri: str) -> Explain:
    for number in (1, 2):
        fhir.send("POST", "Observation", {
            "resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/p{number}"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}})
    settings = {"KAKEHASHI_DATABASE": DATABASE, "MONGODB_URI": mongodb_uri, "COLUMNS": "200"}
    return lambda search: CliRunner().invoke(command, [search], env=settings, catch_exceptions=True)


def test_a_search_is_explained_by_what_drives_it_and_what_it_costs(explain: Explain) -> None:
    told = explain("Observation?patient=p1&code=8480-6&status:not=draft&_sort=-_lastUpdated")
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in told.output.splitlines() if "│" in line]
    assert (told.exit_code, lines[:-1]) == (0, [
        ["drives", "subject, which is little: by the index keys, then sorted"],
        ["sifts", "code, status"],
        ["order", "-ts"],
        ["1", "Observation", "count by subject", "keys", "1", "0", "1", told_ms(lines[3])],
        ["2", "Observation", "find code, status, subject in the order of -ts, -_id, up to 21", "keys", "1", "1", "1",
         told_ms(lines[4])],
    ])
    assert lines[-1][2:7] == ["together", "", "2", "1", "2"]
    assert "Run: 1 rows on the page" in told.output


def told_ms(cells: list[str]) -> str:
    """Milliseconds are whatever they are, but they are told."""
    assert cells[-1].isdigit()
    return cells[-1]


@pytest.mark.parametrize("search, error, text", [
    ("Nothing?code=1", NotFound, "There is no resource type 'Nothing'"),
    ("http://127.0.0.1:8080/fhir/Observation", NotFound, "without a base URL"),
    ("Observation?colour=red", NotSupported, "colour"),
    ("Observation?date=soon", BadRequest, "date"),
])
def test_what_is_no_search_is_refused_as_the_server_does(
    explain: Explain, search: str, error: type[Exception], text: str
) -> None:
    told = explain(search)
    assert isinstance(told.exception, error) and text in str(told.exception)
