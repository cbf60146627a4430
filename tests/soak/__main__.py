"""`make soak`: kills, bad input and a larger stream for minutes instead of seconds. Addresses only this machine."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic

import click
from rich.console import Console
from rich.table import Table

from tests.process import Serve
from tests.soak import fuzz
from tests.soak.storm import PARTS, storm

REPORT = Path(__file__).parents[2] / "docs" / "soak.md"
# Given a source of randomness, seconds and an empty folder, each does its worst and says what it did.
Run = Callable[[Random, float, Path], str]


@dataclass(frozen=True)
class Result:
    """What became of a run: what it did, or what broke."""

    name: str
    seconds: float
    passed: bool
    said: str


def killed(random: Random, seconds: float, folder: Path) -> str:
    """Kills random parts after random pauses while hospitals and applications go on."""
    end = monotonic() + seconds
    with storm(folder, hospitals=6, applications=2, pause=0.05) as one:
        while monotonic() < end:
            one.pause(random.expovariate(1.0))
            one.kill(random.choice(list(PARTS)))
    kills = ", ".join(f"{part} {number}" for part, number in sorted(one.kills.items()))
    return f"killed: {kills}; {one.said}"


def streamed(random: Random, seconds: float, folder: Path) -> str:
    """Sends as fast as answers come, without a pause."""
    with storm(folder, hospitals=16, applications=2, pause=0.0) as one:
        one.pause(seconds)
    return one.said


def pure(tries: Callable[[Random, fuzz.Turns], int], random: Random, seconds: float, folder: Path) -> str:
    return f"{tries(random, fuzz.until(monotonic() + seconds)):,} inputs"


def live(tries: Callable[[Random, fuzz.Turns, Serve], int], random: Random, seconds: float, folder: Path) -> str:
    """Lets a server of its own be fed."""
    serve = Serve(folder, ("--open",))
    with serve.running():
        return f"{tries(random, fuzz.until(monotonic() + seconds), serve):,} inputs"


# Name → what runs, and its share of the time.
RUNS: dict[str, tuple[Run, float]] = {
    "kill": (killed, 0.4),
    "stream": (streamed, 0.1),
    "fuzz maps": (partial(pure, fuzz.maps), 0.1),
    "fuzz SS-MIX2 files": (partial(pure, fuzz.storage), 0.05),
    "fuzz MLLP": (partial(live, fuzz.frames), 0.1),
    "fuzz REST": (partial(live, fuzz.bodies), 0.2),
    "fuzz drop folder": (partial(live, fuzz.junk), 0.05),
}


def tried(name: str, seed: int, minutes: float) -> Result:
    run, share = RUNS[name]
    begin = monotonic()
    with tempfile.TemporaryDirectory(prefix="kakehashi-soak-", ignore_cleanup_errors=True) as folder:
        try:
            said, passed = run(Random(seed), minutes * 60 * share, Path(folder)), True
        except Exception as error:
            said, passed = f"{type(error).__name__}: {error}", False
    return Result(name, monotonic() - begin, passed, said)


def report(results: list[Result], date: str, seed: int) -> str:
    """Returns the page that shows the last run."""
    rows = "\n".join(f"| {one.name} | {one.seconds:.0f} s | {_mark(one)} | {one.said[:300]} |" for one in results)
    minutes = sum(one.seconds for one in results) / 60
    return f"""# The last soak

{date}, seed {seed}, {minutes:.1f} minutes (`make soak` takes some 12). `tests/soak` says what each run does; a short
form of each is in `make test` (`tests/test_kill.py`, `tests/test_fuzz.py`).

| run | time | | what was done |
|---|---|---|---|
{rows}
"""


def _mark(result: Result) -> str:
    return "passed" if result.passed else "FAILED"


@click.command()
@click.option("--minutes", default=10.0, help="All runs together; starting and checking come on top.")
@click.option("--seed", default=1, help="The same seed does the same.")
@click.option("--date", required=True, help="Of the report.")
def main(minutes: float, seed: int, date: str) -> None:
    """Run everything, print a summary and write docs/soak.md."""
    console, results = Console(), []
    console.print(f"seed {seed}")
    for name in RUNS:
        results.append(tried(name, seed, minutes))
        console.print(f"{name}: {_mark(results[-1])} in {results[-1].seconds:.0f} s; {results[-1].said}", markup=False)
    table = Table("run", "time", "", "what was done")
    for one in results:
        table.add_row(one.name, f"{one.seconds:.0f} s", _mark(one), one.said[:300])
    console.print(table, markup=False)
    REPORT.write_text(report(results, date, seed), encoding="utf-8")
    raise SystemExit(0 if all(one.passed for one in results) else 1)


if __name__ == "__main__":
    main()
