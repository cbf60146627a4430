"""The table tells what misses its budget."""

from pathlib import Path

import pytest

from benchmarks.report import write
from benchmarks.result import Budget, Result, at_least, at_most

PAGE = "# Benchmarks\n\n<!-- measured -->\nold\n<!-- /measured -->\n\n## Where the time goes\n"


@pytest.mark.parametrize("budget, value, met", [
    (at_least(100), 100, True), (at_least(100), 99.9, False), (at_most(4), 4, True), (at_most(4), 4.1, False)])
def test_a_budget_is_a_bound(budget: Budget, value: float, met: bool) -> None:
    assert budget.met(value) is met


def test_errors_miss_any_budget() -> None:
    assert not Result("read", 5000, "/s", at_least(100), errors=1).met


def test_the_page_keeps_what_is_written_by_hand(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(PAGE)
    results = [
        Result("read", 2612.4, "/s", at_least(2500), "p50 5.0 ms", "empty answer 20,000/s"),
        Result("start", 4.25, "s", at_most(4), errors=2),
    ]
    write(page, results, {"CPU": "a processor, 2 cores", "memory": "8 GB"}, "2026-04-01")
    assert page.read_text() == (
        "# Benchmarks\n\n<!-- measured -->\n"
        "| work | measured | budget | floor, same run | detail | errors |\n"
        "| --- | --- | --- | --- | --- | --- |\n"
        "| read | 2,612 /s | ≥ 2,500 | empty answer 20,000/s | p50 5.0 ms |  |\n"
        "| start | **4.2 s** | ≤ 4.0 |  |  | 2 |\n"
        "\nMeasured on 2026-04-01. CPU a processor, 2 cores; memory 8 GB.\n"
        "<!-- /measured -->\n\n## Where the time goes\n")
