"""`kakehashi status`: the state in a terminal."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fhir_server import options, status
from fhir_server.config import Config
from fhir_server.store import embedded
from fhir_server.store.error import StoreError
from fhir_server.store.journal import Row
from fhir_server.store.store import Store
from fhir_server.visible import visible

JST = timezone(timedelta(hours=9), "JST")


@click.command()
@options.settings("data_dir", "mongodb_uri", "demo")
def command(**given: Any) -> None:
    """Show what is stored, what arrived and what waits for a person; exit code 1 when a part is down."""
    config = options.config(**given)
    with existing(config) as store:
        seen = status.read(store, datetime.now(UTC))
    console = Console()
    for one in tables(seen):
        console.print(one)
    down = [part for part, running in seen.parts.items() if not running]
    if down:
        console.print(Text(f"down: {', '.join(down)}", "bold red"))
        sys.exit(1)


def tables(seen: status.Status) -> Iterator[Table]:
    """Yields the tables of the status."""
    yield table("Stored", ("type", "resources"), [(name, f"{number:,}") for name, number in seen.stored.items()])
    yield table("Feeds", ("feed", "done", "waiting", "held", "quarantined", "last message"), map(_feed, seen.feeds))
    if seen.building:
        heads = ("type", "resources", "so far", "not searchable yet")
        yield table("Being indexed", heads, map(_building, seen.building))
    yield _messages("Quarantined", seen.parked)
    yield _messages("Held and waiting", seen.waiting)


@contextmanager
def existing(config: Config) -> Iterator[Store]:
    """Gives the store of a network that is there already. Raises StoreError."""
    if not config.mongodb_uri and not (config.data_dir / "mongodb").is_dir():
        raise StoreError(f"There is no database in {config.data_dir}. Name its folder with --data-dir.")
    with ExitStack() as stack:
        uri = config.mongodb_uri or stack.enter_context(embedded.running(config.data_dir, config.cache_gb))
        yield stack.enter_context(Store(uri, config.database, examine_limit=config.examine_limit))


def table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Returns a table for the terminal. What comes from outside is text in it, never rich's markup."""
    made = Table(title=title, title_justify="left")
    for head in heads:
        made.add_column(head, no_wrap=head == "id")
    for row in rows:
        made.add_row(*(Text(visible(cell)) for cell in row))
    return made


def _feed(feed: status.Feed) -> Sequence[str]:
    numbers = (feed.done, feed.waiting, feed.held, feed.parked)
    return (feed.name, *(f"{one:,}" for one in numbers), _clock(feed.last))


def _building(one: status.Building) -> Sequence[str]:
    if one.progress is None:
        return one.type, "-", "begins in some seconds", ", ".join(one.codes)
    return one.type, f"{one.progress.done:,} of {one.progress.of:,}", str(one.progress), ", ".join(one.codes)


def _messages(title: str, rows: Sequence[Row]) -> Table:
    heads = ("id", "arrived", "feed", "sender", "control", "place", "reason")
    return table(title, heads, [_message(row) for row in rows])


def _message(row: Row) -> Sequence[str]:
    return (row.id, _clock(row.received), row.feed, row.sender, row.control, row.place, row.reason)


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}" if moment else "-"
