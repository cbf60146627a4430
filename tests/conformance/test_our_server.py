"""Our own server keeps what it claims, and claims all that is asked for: the program against the program, over HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree import ElementTree

import pytest

from tests.process import Serve

# A gender has four values: a page of it is no order that anybody reads by.
NOT_CLAIMED = ["search.results.sort-code"]
ORIGIN = "https://app.example.org"
SECONDS = 240

# It takes some 15 seconds; on a busy machine several times that.
pytestmark = pytest.mark.timeout(SECONDS + 60)


@contextmanager
def letting_in(origin: str) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAKEHASHI_CORS_ORIGINS", origin)
        yield


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ElementTree.Element, str]:
    """What the command says of a server that has just been started, its JUnit XML, and what is left of its data."""
    folder = tmp_path_factory.mktemp("conformance")
    server = Serve(folder, ("--open", "--workers", "1"))
    with letting_in(ORIGIN), server.running():
        base = f"{server.page}/fhir"
        command = [sys.executable, "-m", "fhir_server.cli", "conformance", "fhir", base, "--junit", "r.xml"]
        command += ["--origin", ORIGIN]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS)
        left = server.get("/fhir/Patient?_summary=count").text
    return done.stdout + done.stderr, ElementTree.parse(folder / "r.xml").getroot(), left


def test_nothing_fails(served: tuple[str, ElementTree.Element, str]) -> None:
    cases = served[1].iter("testcase")
    failed = {case.get("name"): one.get("message") for case in cases for one in case.findall("failure")}
    assert failed == {}, served[0]


def test_everything_is_claimed(served: tuple[str, ElementTree.Element, str]) -> None:
    skipped = [case.get("name") for case in served[1].iter("testcase") if case.find("skipped") is not None]
    assert skipped == NOT_CLAIMED


def test_nothing_is_left_behind(served: tuple[str, ElementTree.Element, str]) -> None:
    assert "not made" not in served[0] and "not deleted" not in served[0]
    assert '"total":0' in served[2]
