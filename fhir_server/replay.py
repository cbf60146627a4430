"""`kakehashi replay`: what waits in quarantine is processed again, after its cause has been mended."""

from collections.abc import Sequence
from typing import Any

import click

from fhir_server import options, terminal


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]…")
@click.option("--all", "everything", is_flag=True, help="All that is in quarantine.")
@click.option("--feed", default="", metavar="NAME", help="With --all: of this feed alone, such as mllp or ssmix2.")
@options.settings("data_dir", "mongodb_uri", "demo")
def command(ids: Sequence[str], everything: bool, feed: str, **given: Any) -> None:
    """Let messages be processed again: those with these ids (see `kakehashi status`), or all in quarantine."""
    if bool(ids) == everything:
        raise click.UsageError("Name messages by their ids, or all in quarantine with --all.")
    if feed and not everything:
        raise click.UsageError("--feed goes with --all.")
    with terminal.existing(options.config(**given)) as store:
        for one in ids:
            store.journal.replay(one)
        number = len(ids) if ids else store.journal.replay_parked(feed)
    click.echo(f"{number} messages wait for a worker.")
