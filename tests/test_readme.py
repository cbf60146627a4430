"""What the README tells people to type works word for word against what it tells them to start."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process import Serve, kakehashi, wait_for

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CURLS = re.findall(r"```sh\n(curl .*?)\n```", README, re.DOTALL)
CURLS_JA = re.findall(r"```sh\n(curl .*?)\n```", (ROOT / "README.ja.md").read_text(encoding="utf-8"), re.DOTALL)
[PYTHON] = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """What `make run` starts, its region loaded; on ports of the test's own."""
    one = Serve(tmp_path_factory.mktemp("readme"), ("--demo", "--open"))
    with one.running():
        wait_for(lambda: one.get("/fhir/Patient?_total=accurate&_count=1").json()["total"] == 36, "the region")
        yield one


def here(text: str, serve: Serve) -> str:
    return text.replace("8080", str(serve.port)).replace("2575", str(serve.mllp_port))


@pytest.mark.parametrize("line", CURLS + CURLS_JA)
def test_a_curl_line_is_answered(line: str, serve: Serve) -> None:
    command = here(line, serve).replace("curl ", "curl --silent --show-error --fail ", 1)
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"resourceType":' in done.stdout
    assert '"entry":' in done.stdout or "search" not in done.stdout or "/fhir/metadata" in line


def test_a_message_sent_with_the_lines_of_python_is_found(serve: Serve) -> None:
    done = subprocess.run([sys.executable, "-c", here(PYTHON, serve)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "MSA|AA|README-1" in done.stdout
    assert "見本" in done.stdout and "ミホン" in done.stdout


def test_make_run_starts_what_these_lines_are_tried_against() -> None:
    assert "$(BIN)/kakehashi serve --demo --open" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_every_setting_of_the_table_is_one_and_every_option_is_there(tmp_path: Path) -> None:
    options = re.findall(r"^\| `(--[a-z-]+)`", README, re.MULTILINE)
    _, help_ = kakehashi("serve", "--help", cwd=tmp_path)
    assert sorted(options) == sorted(set(re.findall(r"  (--[a-z-]+)", help_)) - {"--help"})
