"""A report names request, answer and rule, in a terminal, in XML and in a page; it shows no secret, runs no script."""

from io import StringIO
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner
from rich.console import Console

from conformance import report
from conformance.command import check, fhir
from conformance.http import Exchange, Server
from conformance.requirement import Chapter, Requirement, Step
from conformance.report import Report
from tests.conformance.wrong import Says, Wrong, wrong

SECRET = "Bearer abcdef-123456"
HOSTILE = {"resourceType": "Patient", "id": "1", "gender": "<script>alert(1)</script>", "language": "abcdef-123456"}
CREATED = Says(201, headers={"Location": "BASE/Patient/made/_history/1"})


def chapter() -> Chapter:
    def one(id_: str, level: str, claim: str, step: Step) -> Requirement:
        where = "https://hl7.org/fhir/R4/x"
        return Requirement(f"test.{id_}", "test", f"Title of {id_}", "題", level, "The rule.", where, [claim], [step])

    return Chapter("test", "A chapter", "章", [
        one("good", "SHALL", "Patient.read", Step("GET Patient/1", expect={"status": 200})),
        one("bad", "SHALL", "Patient.read", Step("GET Patient/1", expect={"have": {"gender": "male"}})),
        one("unclaimed", "MAY", "Patient.patch", Step("PATCH Patient/1")),
    ])


@pytest.fixture(scope="module")
def done() -> Report:
    hostile = Says(200, HOSTILE, {"Echo": SECRET})
    with wrong(GET_Patient_1=hostile, POST_Patient=CREATED, DELETE_Patient_made=Says(500)) as server:
        return check(Server(server.base, {"Authorization": SECRET}), [chapter()], False, Console(file=StringIO()))


def test_the_terminal_shows_a_table_and_each_failure(done: Report) -> None:
    console = Console(file=StringIO(), width=160)
    report.terminal(done, console)
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "Wrong 1 at http://127.0.0.1" in said
    assert "SHALL test.bad Title of bad" in said
    assert "gender is ['<script>alert(1)</script>'], not male." in said
    assert "not made: hospital: 404" in said
    assert "not deleted: Patient/made" in said
    assert "abcdef" not in said


def test_junit_has_a_case_for_each_requirement(done: Report) -> None:
    root = ElementTree.fromstring(report.junit(done))
    [suite] = root
    assert [suite.get(name) for name in ("name", "tests", "failures", "skipped")] == ["test", "3", "1", "1"]
    assert [(case.get("name"), [one.tag for one in case]) for case in suite] == [
        ("test.good", []), ("test.bad", ["failure"]), ("test.unclaimed", ["skipped"])]
    [failure] = root.iter("failure")
    assert failure.get("type") == "SHALL"
    assert all(part in str(failure.text) for part in ("The rule.", "GET http://127.0.0.1", "HTTP 200", "alert(1)"))
    assert "abcdef" not in ElementTree.tostring(root, encoding="unicode")


def test_the_page_stands_alone_and_runs_nothing_of_an_answer(done: Report) -> None:
    page = report.html(done)
    assert "<script" not in page and "src=" not in page and "<link" not in page
    for part in ("The rule.", "Title of bad", "題", "GET Patient/1", "HTTP 200", "&lt;script&gt;"):
        assert part in page
    assert "Authorization: •••" in page
    assert "abcdef" not in page


def test_what_was_made_is_deleted_newest_first_even_when_the_run_breaks() -> None:
    class Broken(Server):
        def send(self, method: str, url: str, *more: Any) -> Exchange:
            if url == "Patient/1" and method == "GET":
                raise KeyboardInterrupt
            return super().send(method, url, *more)

    answers = [Says(201, headers={"Location": f"BASE/Patient/{number}/_history/1"}) for number in (1, 2, 3)]
    with wrong(POST_Patient=[*answers, Says(500)]) as server:
        with pytest.raises(KeyboardInterrupt):
            check(Broken(server.base), [chapter()], False, Console(file=StringIO()))
    deleted = dict.fromkeys(line for line in server.asked if line.startswith("DELETE"))
    assert list(deleted) == ["DELETE /Patient/3", "DELETE /Patient/2", "DELETE /Patient/1"]


def run(server: Wrong, *arguments: str, **environment: str) -> tuple[int, str]:
    done = CliRunner().invoke(fhir, [server.base, "--only", "read.not-found", *arguments], env=environment)
    return done.exit_code, done.output


def test_the_command_writes_both_files_and_ends_with_1_where_something_failed(tmp_path: Path) -> None:
    with wrong() as server:
        code, said = run(server, "--junit", str(tmp_path / "r.xml"), "--html", str(tmp_path / "r.html"))
    assert code == 1
    assert "SHALL read.not-found" in said
    assert ElementTree.parse(tmp_path / "r.xml").getroot().tag == "testsuites"
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_authorization_comes_from_the_environment_and_headers_from_options() -> None:
    with wrong() as server:
        _, said = run(server, "--header", "X-Tenant: north-1234", KAKEHASHI_CONFORMANCE_AUTHORIZATION=SECRET)
    assert {(one["Authorization"], one["X-Tenant"]) for one in server.headers} == {(SECRET, "north-1234")}
    assert "abcdef" not in said and "north" not in said


def test_a_secret_goes_to_the_server_it_is_for_alone() -> None:
    with wrong(GET_Patient_1=Says(200)) as elsewhere, wrong() as server:
        Server(server.base, {"Authorization": SECRET}).send("GET", f"{elsewhere.base}/Patient/1", {})
    assert "Authorization" not in elsewhere.headers[0]


@pytest.mark.parametrize("answer, told", [
    (Says(401), "/metadata answers 401 and no CapabilityStatement."),
    (Says(200, {"resourceType": "Patient"}), "/metadata answers 200 and no CapabilityStatement."),
])
def test_what_is_no_fhir_server_is_told(answer: Says, told: str) -> None:
    with wrong(GET_metadata=answer) as server:
        code, said = run(server)
    assert code == 1 and told in said


def test_nobody_at_the_address_is_told() -> None:
    done = CliRunner().invoke(fhir, ["http://127.0.0.1:1/fhir"])
    assert done.exit_code == 1 and "http://127.0.0.1:1/fhir does not answer" in done.output


def test_a_header_without_a_colon_is_refused() -> None:
    done = CliRunner().invoke(fhir, ["http://127.0.0.1:1", "--header", "secret"])
    assert done.exit_code == 2 and "A header is written 'NAME: VALUE'." in done.output
