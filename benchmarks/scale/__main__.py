"""`make bench-scale`: the same requests while the region grows, from 1,000 patients of 100 resources up."""

import sys
import time
from collections.abc import Sequence

import click
from rich.console import Console

from benchmarks import http, machine
from benchmarks.report import facts
from benchmarks.scale import report, searches, shapes
from benchmarks.scale.report import Size
from benchmarks.scale.stage import Stage
from benchmarks.site import SCALES, opened

SIZES = "1000,4000,16000"
# Of the table where it goes into a file or a pipe.
WIDTH = 170


@click.command()
@click.option("--patients", default=SIZES, show_default=True, help="Sizes, ascending; 64000 takes an hour.")
@click.option("--seconds", default=3.0, show_default=True, help="Of each load.")
@click.option("--write", "day", metavar="DATE", help="Writes the tables into docs/benchmarks.md, as of DATE.")
def main(patients: str, seconds: float, day: str | None) -> None:
    """Load a growing region with thirty kinds of request, and with a mix of searches."""
    if not http.available():
        sys.exit(http.INSTALL)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    with opened(SCALES["default"]) as site:
        stage = Stage(site)
        sizes = [_measured(stage, int(one), seconds) for one in patients.split(",")]
        known = machine.facts(site.version)
    console.print(report.shapes(sizes), report.sizes(sizes), facts(known))
    if day:
        report.write(sizes, known, day)
    sys.exit(any(one.load.errors for size in sizes for one in size.timed))


def _measured(stage: Stage, patients: int, seconds: float) -> Size:
    before, begin = stage.patients, time.perf_counter()
    stage.grow(patients)
    rate = (stage.patients - before) * 100 / (time.perf_counter() - begin)
    click.echo(f"{stage.patients:,} patients, {rate:,.0f} resources/s; shapes …", err=True)
    timed: Sequence[shapes.Timed] = list(shapes.run(stage, seconds))
    mix, used = stage.site.load(list(searches.lines(stage.patients)), clients=searches.CLIENTS)
    return Size(stage.patients, rate, timed, mix, used, *stage.size(), stage.memory())


if __name__ == "__main__":
    main()
