"""The tables of the growing region: in the terminal, and in docs/benchmarks.md between two marks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from benchmarks import http
from benchmarks.result import shown
from benchmarks.scale.shapes import SHAPES, Timed
from benchmarks.site import Cpu

PAGE = Path(__file__).parents[2] / "docs/benchmarks.md"
BEGIN, END = "<!-- scale -->\n", "<!-- /scale -->\n"
# A shape is flat when its median at the largest size is at most so much of, and so many ms over, that at the smallest.
TIMES, MORE = 1.5, 2.0
GOAL = 800

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True)
class Size:
    """What was measured with so many patients.

    rate          of writing them, resources a second
    timed         the shapes
    mix, used     the mix of searches, and the CPU time it took
    disk, index   MB in the database, and of its indexes
    memory        MB, server and database
    """

    patients: int
    rate: float
    timed: Sequence[Timed]
    mix: http.Load
    used: Cpu
    disk: float
    index: float
    memory: float


def shapes(sizes: Sequence[Size]) -> Table:
    """Returns the medians of each shape at each size; red is what grew, or had errors."""
    return _table(_shape_head(sizes), _shape_rows(sizes))


def sizes(measured: Sequence[Size]) -> Table:
    """Returns what each size took, and what the mix of searches came to."""
    return _table(_SIZE_HEAD, _size_rows(measured))


def write(measured: Sequence[Size], known: Mapping[str, str], day: str) -> None:
    """Puts both tables, machine and day between the marks of the page."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    ran_on = "; ".join(f"{name} {value}" for name, value in known.items())
    told = [*_markdown(_shape_head(measured), _shape_rows(measured)), "",
            *_markdown(_SIZE_HEAD, _size_rows(measured)), "", f"Measured on {day}. {ran_on}.", ""]
    PAGE.write_text(before + BEGIN + "\n".join(told) + END + after)


def _table(head: Sequence[str], rows: Rows) -> Table:
    made = Table(*head)
    for row in rows:
        made.add_row(*row, style="bold red" if row[0].startswith("**") else None)
    return made


def _markdown(head: Sequence[str], rows: Rows) -> Iterator[str]:
    return (f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows))


def _shape_head(measured: Sequence[Size]) -> Sequence[str]:
    return ("p50, 64 clients", *(f"{one.patients:,} patients" for one in measured), "p95", "p99", "/s", "growth")


def _shape_rows(measured: Sequence[Size]) -> Rows:
    return [_shape_row([size.timed[i].load for size in measured], one.shape) for i, one in enumerate(measured[0].timed)]


def _shape_row(loads: Sequence[http.Load], shape: str) -> Sequence[str]:
    first, last = loads[0], loads[-1]
    flat = last.p50 <= TIMES * first.p50 + MORE or shape not in SHAPES
    errors = sum(one.errors for one in loads)
    name = f"{shape}: {errors} errors" if errors else shape
    return (name if flat and not errors else f"**{name}**", *(f"{one.p50:.1f} ms" for one in loads),
            f"{last.p95:.1f} ms", f"{last.p99:.1f} ms", shown(last.rate), f"{last.p50 / first.p50:.2f} ×")


_SIZE_HEAD = ("patients", "resources", "written", "disk", "indexes", "memory", "24 searches, 30 clients",
              f"by CPU of server and database (goal {GOAL})", "p50", "p95", "p99", "errors")


def _size_rows(measured: Sequence[Size]) -> Rows:
    return [(
        f"{one.patients:,}", f"{one.patients * 100:,}", f"{one.rate:,.0f}/s", f"{one.disk:,.0f} MB",
        f"{one.index:,.0f} MB", f"{one.memory:,.0f} MB", f"{one.mix.rate:,.0f}/s",
        f"{one.mix.requests / (one.used.server + one.used.database):,.0f} /CPU-s",
        f"{one.mix.p50:.1f} ms", f"{one.mix.p95:.1f} ms", f"{one.mix.p99:.1f} ms", str(one.mix.errors),
    ) for one in measured]
