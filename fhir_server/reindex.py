"""Reindexing: what is stored follows the search parameters, in the background, while everything goes on.

Every worker looks for documents whose search values were made with other parameters; of each type one worker renews
them, in batches, as fast as half its time allows. Where it dies another goes on.
"""

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from time import monotonic
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from fhir_server import options
from fhir_server.context import Context
from fhir_server.fhirjson import decode
from fhir_server.outcome import FHIRError, Unavailable
from fhir_server.parameters import LATE
from fhir_server.store.document import Version
from fhir_server.store.parameters import ParameterSet
from fhir_server.store.reindex import Progress
from fhir_server.trace import where

BATCH = 200
# Seconds between two looks of the command at how far it is.
GLANCE = 0.2
# Seconds: between two looks for a new set; between two looks at all types; until all processes know a set, and what
# they began with the one before is written.
LOOK, SWEEP, SETTLE = 1.0, 5.0, LATE + 2.0
# So many that cannot be indexed end the attempt; the next one begins after a minute.
FAULTS, RETRY = 100, 60.0

log = logging.getLogger(__name__)


def run(context: Context, stop: Event, work: "Reindexer | None" = None) -> None:
    """Keeps the index as the search parameters are until `stop` is set."""
    work = work or Reindexer(context, stop)
    while not stop.is_set():
        try:
            work.step()
        except Unavailable:
            log.warning("reindex: the database does not answer; looking again")
        except Exception as error:
            log.error("reindex failed: %s", where(error))
        stop.wait(LOOK)


@dataclass
class Reindexer:
    """One worker's share.

    settle  seconds a set must be known before anything is renewed as it says
    sweep   seconds between two looks at types that nothing is being built of
    pause   rest after each batch, as a multiple of what it took
    """

    context: Context
    stop: Event = field(default_factory=Event)
    settle: float = SETTLE
    sweep: float = SWEEP
    pause: float = 1.0
    owner: str = ""
    _swept: float = 0.0
    _again: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Host and process id may be those of another worker, in another container.
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{self.context.new_id()}"

    def step(self) -> None:
        """Publishes what SearchParameter resources say, and renews what is out of date."""
        store = self.context.store
        known, now = self.context.parameters.follow(), monotonic()
        if now - known.since < self.settle:
            return
        sweeping = now - self._swept >= self.sweep
        self._swept = now if sweeping else self._swept
        stored = store.reindex.types() if sweeping or known.set.building else []
        for type_ in sorted({*known.set.building, *(stored if sweeping else ())} - known.foreign):
            if self.stop.is_set() or self._again.get(type_, 0.0) > now:
                continue
            if type_ in stored:
                self.renew(type_, known.set)
            elif type_ in known.set.building:
                store.parameters.complete(known.set.published, type_)

    def renew(self, type_: str, known: ParameterSet) -> None:
        """Renews a type, unless another worker is at it, and tells when nothing is left to renew."""
        store, hash_ = self.context.store, self.context.current.index.hash(type_)
        progress, ended = None, not store.reindex.outdated(type_, hash_, 1)
        try:
            if not ended and (progress := store.reindex.lease(type_, self.owner, hash_)):
                ended = self._renewed(progress, hash_)
            if ended and type_ in known.building:
                store.parameters.complete(known.published, type_)
        finally:
            if progress:
                store.reindex.release(type_, self.owner, ended)

    def _renewed(self, before: Progress, hash_: str) -> bool:
        """Renews batch after batch; tells whether nothing is left."""
        store, type_ = self.context.store, before.type
        left = store.reindex.count(type_, hash_)
        # After a restart what was done still is.
        progress = replace(before, of=before.of or left, done=max((before.of or left) - left, 0), failed=())
        start, first = monotonic(), progress.done
        store.reindex.report(self.owner, progress)
        while batch := store.reindex.outdated(type_, hash_, BATCH, progress.failed):
            began, current = monotonic(), self.context.current
            if self.stop.is_set() or current.index.hash(type_) != hash_ or len(progress.failed) >= FAULTS:
                return False
            failed = _renew(batch, current)
            done = progress.done + len(batch) - len(failed)
            rate = (done - first) / max(monotonic() - start, 0.001)
            progress = replace(progress, done=done, rate=rate, failed=(*progress.failed, *failed))
            if not store.reindex.report(self.owner, progress):
                return False
            self.stop.wait((monotonic() - began) * self.pause)
        if progress.failed:
            self._again[type_] = monotonic() + RETRY
        return not progress.failed


def _renew(batch: Sequence[Version], context: Context) -> list[str]:
    """Renews what can be; returns the ids of the others."""
    renewed: list[Version] = []
    failed: list[str] = []
    for one in batch:
        try:
            renewed.append(replace(one, values=context.index.values(decode(one.raw), one.updated)))
        except FHIRError as error:
            log.error("reindex: %s/%s cannot be indexed: %s", one.type, one.id, error)
            failed.append(one.id)
        except Exception as error:
            log.error("reindex: %s/%s cannot be indexed: %s", one.type, one.id, where(error))
            failed.append(one.id)
    context.store.reindex.renew(batch[0].type, renewed)
    return failed


@click.command()
@click.argument("types", nargs=-1, metavar="[TYPE]…")
@click.option("--all", "everything", is_flag=True, help="All resources of all types, whatever they were indexed with.")
@options.settings("data_dir", "mongodb_uri", "demo")
def command(types: Sequence[str], everything: bool, **given: Any) -> None:
    """Index now what is out of date, and all resources of the types that are named; beside a running server too."""
    from fhir_server.app import open_context

    if types and everything:
        raise click.UsageError("Name types, or all of them with --all.")
    with open_context(options.config(**given)) as context:
        # A server that runs may have other settings than this command, and goes by its own.
        if not context.store.heartbeats.parts(context.now()).get("worker"):
            context.parameters.publish()
        known = context.definitions.resource_types
        if unknown := next((one for one in types if one not in known), None):
            raise click.UsageError(f"There is no resource type {unknown} in FHIR R4.")
        stored = context.store.reindex.types()
        for type_ in stored if everything else set(types) & set(stored):
            context.store.reindex.forget(type_)
        show(context, Console())
    click.echo("All resources are indexed as the search parameters say.")


def show(context: Context, console: Console) -> None:
    """Renews what is out of date and shows how far it is, whoever does it, until nothing is left.

    Raises ClickException for what cannot be indexed.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    tasks: dict[str, Any] = {}
    with _working(context) as stop, Bars(*columns, console=console) as bars:
        while outdated(context):
            for one in filter(lambda one: one.of, context.store.reindex.progress()):
                if one.failed:
                    raise click.ClickException(f"{one.type}/{one.failed[0]} cannot be indexed; the log says why.")
                if one.type not in tasks:
                    tasks[one.type] = bars.add_task(one.type)
                bars.update(tasks[one.type], completed=one.done, total=one.of)
            stop.wait(GLANCE)
        for task in bars.tasks:
            bars.update(task.id, completed=task.total)


def outdated(context: Context) -> list[str]:
    """Returns the types of which something is out of date, or that a parameter is being built of."""
    store, index, known = context.store, context.current.index, context.parameters.at_once()
    types = {*known.set.building, *store.reindex.types()} - known.foreign
    return sorted(one for one in types
                  if one in known.set.building or store.reindex.outdated(one, index.hash(one), 1))


@contextmanager
def _working(context: Context) -> Iterator[Event]:
    """Lets this process do its share, without rests, while the block runs."""
    stop = Event()

    def work() -> None:
        run(context, stop, Reindexer(context, stop, SETTLE, sweep=0.0, pause=0.0))

    thread = Thread(target=work, name="reindex", daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()
