"""`kakehashi status`: the state in a terminal."""

import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fhir_server import options, status
from fhir_server.config import Config
from fhir_server.store import embedded
from fhir_server.store.journal import Row
from fhir_server.store.error import StoreError
from fhir_server.store.store import Store

JST = timezone(timedelta(hours=9), "JST")


@click.command()
@options.settings("data_dir", "mongodb_uri", "demo")
def command(**given: Any) -> None:
    """Show what is stored, what arrived and what waits for a person; exit code 1 when a part is down."""
    config = options.config(**given)
    seen = _read(config)
    console = Console()
    for table in tables(seen):
        console.print(table)
    down = [part for part, running in seen.parts.items() if not running]
    if down:
        console.print(Text(f"down: {', '.join(down)}", "bold red"))
        sys.exit(1)


def tables(seen: status.Status) -> Iterator[Table]:
    """Yields the tables of the status."""
    yield _table("Stored", ("type", "resources"), [(name, f"{number:,}") for name, number in seen.stored.items()])
    yield _table("Feeds", ("feed", "done", "waiting", "held", "quarantined", "last message"), map(_feed, seen.feeds))
    yield _messages("Quarantined", seen.parked)
    yield _messages("Held and waiting", seen.waiting)


def _read(config: Config) -> status.Status:
    if config.mongodb_uri:
        return _of(config.mongodb_uri, config)
    if not (config.data_dir / "mongodb").is_dir():
        raise StoreError(f"There is no database in {config.data_dir}. Name its folder with --data-dir.")
    with embedded.running(config.data_dir, config.cache_gb) as uri:
        return _of(uri, config)


def _of(uri: str, config: Config) -> status.Status:
    with Store(uri, config.database) as store:
        return status.read(store, datetime.now(UTC))


def _feed(feed: status.Feed) -> Sequence[str]:
    numbers = (feed.done, feed.waiting, feed.held, feed.parked)
    return (feed.name, *(f"{one:,}" for one in numbers), _clock(feed.last))


def _messages(title: str, rows: Sequence[Row]) -> Table:
    heads = ("arrived", "feed", "sender", "control", "place", "reason")
    return _table(title, heads, [_message(row) for row in rows])


def _message(row: Row) -> Sequence[str]:
    return (_clock(row.received), row.feed, row.sender, row.control, row.place, row.reason)


def _table(title: str, heads: Sequence[str], rows: Any) -> Table:
    """What comes from outside is text, never rich's markup."""
    table = Table(title=title, title_justify="left")
    for head in heads:
        table.add_column(head)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(JST):%Y-%m-%d %H:%M:%S}" if moment else "-"
