"""The table: in the terminal, and in docs/benchmarks.md between two marks."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table
from rich.text import Text

from benchmarks.result import Result, shown

COLUMNS = ("work", "measured", "budget", "floor, same run", "detail", "errors")
BEGIN, END = "<!-- measured -->\n", "<!-- /measured -->\n"


def table(results: Sequence[Result]) -> Table:
    """Returns the table; red is what misses its budget or had errors."""
    made = Table(*COLUMNS)
    for one in results:
        work, measured, *rest = _row(one)
        made.add_row(work, Text(measured, "" if one.met else "bold red"), *rest)
    return made


def facts(known: Mapping[str, str]) -> str:
    return "\n".join(f"{name:>8}  {value}" for name, value in known.items())


def write(page: Path, results: Sequence[Result], known: Mapping[str, str], day: str) -> None:
    """Puts table, machine and day between the marks of `page`."""
    before, _, rest = page.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(before + BEGIN + markdown(results, known, day) + END + after)


def markdown(results: Sequence[Result], known: Mapping[str, str], day: str) -> str:
    """Returns the same table; bold is what misses its budget or had errors."""
    rows = [COLUMNS, ("---",) * len(COLUMNS), *map(_marked, results)]
    ran_on = "; ".join(f"{name} {value}" for name, value in known.items())
    return "".join(f"| {' | '.join(row)} |\n" for row in rows) + f"\nMeasured on {day}. {ran_on}.\n"


def _marked(result: Result) -> tuple[str, ...]:
    work, measured, *rest = _row(result)
    return (work, measured if result.met else f"**{measured}**", *rest)


def _row(result: Result) -> tuple[str, ...]:
    budget = result.budget.shown() if result.budget else ""
    return (result.work, f"{shown(result.value)} {result.unit}", budget, result.floor, result.detail,
            str(result.errors or ""))
