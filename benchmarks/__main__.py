"""`make bench`: measures the work of design budgets on this machine and prints one table."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import click
from rich.console import Console

from benchmarks import create, crud, http, machine, memory, mllp, read, report, search, ssmix2, start, transaction
from benchmarks.result import Result
from benchmarks.site import SCALES, Site, opened

# In this order: what comes first finds the least stored.
BENCHMARKS: Mapping[str, Callable[[Site], Iterator[Result]]] = {
    "start": start.run,
    "read": read.run,
    "search": search.run,
    "create": create.run,
    "crud": crud.run,
    "transaction": transaction.run,
    "mllp": mllp.run,
    "ssmix2": ssmix2.run,
    "memory": memory.run,
}
# Of the table where it goes into a file or a pipe.
WIDTH = 170
PAGE = Path(__file__).parent.parent / "docs/benchmarks.md"


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(list(BENCHMARKS)))
@click.option("--quick", "scale", flag_value="quick", help="Within 90 seconds: to see that everything works.")
@click.option("--full", "scale", flag_value="full", help="A million Observations.")
@click.option("--write", "day", metavar="DATE", help="Writes the table into docs/benchmarks.md, as of DATE.")
def main(names: Sequence[str], scale: str | None, day: str | None) -> None:
    """Measure everything, or NAMES alone."""
    if not http.available():
        sys.exit(http.INSTALL)
    console, begin = Console(width=None if sys.stdout.isatty() else WIDTH), time.perf_counter()
    with opened(SCALES[scale or "default"]) as site:
        results = [result for name in names or BENCHMARKS for result in _told(name, site)]
        facts = machine.facts(site.version)
    console.print(report.table(results), report.facts(facts), f"{time.perf_counter() - begin:.0f} s in all")
    if day:
        report.write(PAGE, results, facts, day)
    sys.exit(any(one.errors for one in results))


def _told(name: str, site: Site) -> Iterator[Result]:
    click.echo(f"{name} …", err=True)
    yield from BENCHMARKS[name](site)


main()
