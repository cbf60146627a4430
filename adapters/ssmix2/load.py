"""`kakehashi load ssmix2`: a whole storage into the journal, and from there into FHIR, by processes of our own.

Works beside a running server as well: its worker and ours share the journal, partition by partition.
"""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from adapters import admission, worker
from adapters.ssmix2.arrival import FEED, batches, read, reason
from adapters.ssmix2.path import DELETED
from adapters.ssmix2.walk import Found, walk
from fhir_server import options, supervise
from fhir_server.app import open_context
from fhir_server.config import Config
from fhir_server.context import Context
from fhir_server.store.queue import PARKED
from fhir_server.visible import visible

PROCESSES = max(2, min(8, os.cpu_count() or 2))
LOOK = 0.2
# Of quarantined files whose reasons are told.
SHOWN = 1000
# The exit code of what Ctrl-C ended: 128 + SIGINT.
INTERRUPTED = 130


@dataclass(frozen=True)
class Tally:
    """What a load found.

    kinds   files of each kind
    left    what is not for the journal, by reason
    unread  files and whole folders that could not be read, by reason
    files   seen, new, known (to the journal already), withdrawn; waited: those of an earlier load that was stopped
    """

    kinds: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    files: Counter[str] = field(default_factory=Counter)

    def add(self, file: Found) -> None:
        if file.unread:
            self.unread[file.unread] += 1
            return
        self.files["seen"] += 1
        if file.key:
            self.kinds[file.key.kind] += 1
        if why := reason(file):
            self.left[why] += 1
        elif file.key and file.key.flag == DELETED:
            self.files["withdrawn"] += 1


def journal(root: Path, facility: str, context: Context, tally: Tally, progress: Callable[[], None]) -> None:
    """Puts all files below `root` into the journal, each patient's in order; `progress` is called after each batch.

    The storages of other facilities are left alone: a volume may hold those of several.
    """
    found = (file for file in _counted(root, facility, context.config, tally) if not reason(file))
    for batch in batches(found):
        reading = read(batch, facility, "", context.now())
        tally.unread.update(why for _, why in reading.unread)
        receipts = context.store.journal.receive(reading.messages)
        known = sum(one.duplicate for one in receipts)
        tally.files["known"] += known
        tally.files["new"] += len(receipts) - known
        progress()


def quarantined(facility: str, since: datetime, context: Context) -> Counter[str]:
    """Returns the reasons for which files were parked since then."""
    rows = context.store.journal.rows(PARKED, SHOWN)
    mine = (one for one in rows if (one.feed, one.sender) == (FEED, facility) and one.received >= since)
    return Counter(f"{one.place}: {one.reason}" if one.place else one.reason for one in mine)


@contextmanager
def working(config: Config, processes: int = PROCESSES) -> Iterator[Callable[[], bool]]:
    """Runs workers in processes of their own meanwhile; what they hold when they are stopped is done again later.

    Gives a function that tells whether any of them is still at work.
    """
    spawn = multiprocessing.get_context("spawn")
    stop = spawn.Event()
    running = [spawn.Process(target=_work, args=(config, stop), daemon=True) for _ in range(processes)]
    # Ctrl-C reaches them too, but their parent says when to stop; they inherit this.
    heeded = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for one in running:
        one.start()
    signal.signal(signal.SIGINT, heeded)
    try:
        yield lambda: any(one.is_alive() for one in running)
    finally:
        stop.set()
        for one in running:
            one.join()


def _work(config: Config, stop: Any) -> None:
    """One worker."""
    if parent := multiprocessing.parent_process():
        supervise.end_with(parent.pid or 0)
    with open_context(config) as context:
        worker.run(context, stop)


def _counted(root: Path, facility: str, config: Config, tally: Tally) -> Iterator[Found]:
    for files in walk(str(root), facility, config.message_limit):
        for file in files:
            tally.add(file)
            yield file


@click.command()
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--facility", required=True, metavar="NUMBER", callback=options.institution, help="Institution number, 10 digits.")
@click.option("--name", default="", help="Name of the facility, where the network does not know it yet.")
@options.settings("data_dir", "mongodb_uri", "demo")
def command(path: Path, facility: str, name: str, **given: Any) -> None:
    """Load an SS-MIX2 standardized storage: ADT-00, OMP-01, OML-11, PPR-01. Twice is once.

    Ends with 1 if something could not be read, with 130 after Ctrl-C; what was read by then is not lost.
    """
    config = options.config(**given)
    try:
        with open_context(config) as context:
            _admit(facility, name, context)
            tally = run(path, facility, config, context, Console())
    except KeyboardInterrupt:
        click.echo("\nStopped. What was read is safe and waits for a worker; load again to go on.", err=True)
        raise SystemExit(INTERRUPTED) from None
    if tally.unread:
        raise click.ClickException(f"{tally.unread.total()} files or folders could not be read; load again.")


def run(path: Path, facility: str, config: Config, context: Context, console: Console) -> Tally:
    """Loads the storage, shows how far it is, and closes with a summary."""
    tally, since, begin = Tally(), context.now().replace(microsecond=0), monotonic()
    before = Counter(context.store.counts())
    tally.files["waited"] = context.store.journal.waiting(FEED)
    with working(config) as at_work, _progress(console) as bar:
        _load(path, facility, context, tally, bar, at_work)
    stored = Counter(context.store.counts())
    stored.subtract(before)
    _summarize(tally, stored, quarantined(facility, since, context), monotonic() - begin, console)
    return tally


def _admit(facility: str, name: str, context: Context) -> None:
    """Whoever names the facility on the command line vouches for it."""
    row = context.store.facilities.by_number(facility)
    if row is None:
        admission.admit(context.store, facility, name or facility)
    elif not row.confirmed:
        admission.admit(context.store, facility, name or row.name, row.senders, row.charset)


def _load(
    path: Path, facility: str, context: Context, tally: Tally, bar: Progress, at_work: Callable[[], bool]
) -> None:
    reading = bar.add_task("read", total=None)
    mapping = bar.add_task("mapped", total=None)
    waiting = partial(context.store.journal.waiting, FEED)

    def show() -> None:
        bar.update(reading, completed=tally.files["seen"])
        bar.update(mapping, completed=max(0, tally.files["new"] - waiting()))

    journal(path, facility, context, tally, show)
    bar.update(reading, total=tally.files["seen"])
    bar.update(mapping, total=tally.files["new"])
    pause = Event()
    while waiting():
        if not at_work():
            raise click.ClickException("The workers ended. What was read is safe and waits; load again to go on.")
        show()
        pause.wait(LOOK)
    show()


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console)


def _summarize(tally: Tally, stored: Counter[str], parked: Counter[str], seconds: float, console: Console) -> None:
    table = Table("", "", box=None, show_header=False)
    rows: dict[str, object] = {
        "files": tally.files["seen"],
        **{f"  {kind}": number for kind, number in sorted(tally.kinds.items())},
        "mapped now": tally.files["new"] - parked.total(),
        **({"waited from before": tally.files["waited"]} if tally.files["waited"] else {}),
        "unchanged": tally.files["known"],
        "withdrawn": tally.files["withdrawn"],
        **{f"left alone, {why}": number for why, number in tally.left.items()},
        **{f"cannot be read, {why}": number for why, number in tally.unread.items()},
        "quarantined": parked.total(),
        **{f"  {why}": number for why, number in parked.most_common()},
        "resources": stored.total(),
        **{f"  {type_}": number for type_, number in sorted(stored.items()) if number},
        "seconds": f"{seconds:.1f}",
        "files a second": round(tally.files["seen"] / seconds),
        "resources a second": round(stored.total() / seconds),
    }
    for name, number in rows.items():
        # As Text: names of kinds and reasons come from outside and are no markup.
        table.add_row(Text(visible(name)), str(number))
    console.print(table)
    if not (tally.files["new"] or tally.files["waited"] or tally.unread):
        console.print("Nothing changed.")
