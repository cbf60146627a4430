"""`kakehashi facility`: who feeds the network, as the people who run it enter and see it."""

from collections.abc import Sequence
from typing import Any

import click
from rich.console import Console

from adapters.admission import admit
from fhir_server import options, terminal
from fhir_server.app import open_context
from fhir_server.store.facilities import Facilities, Facility

# Python's names; what declares itself in MSH-18, and ISO-2022-JP, needs no setting.
CHARSETS = ("ascii", "cp932", "euc_jp", "utf-8")


@click.command()
@click.argument("number", callback=options.institution)
@click.argument("name")
@click.option("--sender", "senders", multiple=True, metavar="MSH-4", help="What it sends as; may be repeated.")
@click.option("--charset", type=click.Choice(CHARSETS), help="Of its HL7 v2 messages that declare none: ascii.")
@options.settings("data_dir", "mongodb_uri", "demo")
def add(number: str, name: str, senders: Sequence[str], charset: str | None, **given: Any) -> None:
    """Enter a facility by its institution number, or change it. What was held of it is then processed.

    Of a facility that is there, what no option names stays as it is.
    """
    with open_context(options.config(**given)) as context:
        table = context.store.facilities
        known = table.by_number(number) or Facility(number, name)
        _refuse_taken(senders, number, table)
        entered = admit(context.store, number, name, senders or known.senders, charset or known.charset)
    click.echo(f"{entered.number} {entered.name} sends as {_listed(entered.senders)}, {entered.charset}.")


@click.command()
@options.settings("data_dir", "mongodb_uri", "demo")
def show(**given: Any) -> None:
    """List the facilities that feed the network, those that nobody has confirmed too."""
    with terminal.existing(options.config(**given)) as store:
        rows = [_row(one) for one in store.facilities.all()]
    Console().print(terminal.table("Facilities", ("number", "name", "sends as", "character set", "confirmed"), rows))


def _refuse_taken(senders: Sequence[str], number: str, table: Facilities) -> None:
    """Two facilities under one MSH-4 could not be told apart. Raises click.UsageError."""
    for sender in senders:
        other = table.by_sender(sender)
        if other and other.confirmed and other.number != number:
            raise click.UsageError(f"{other.number} sends as {sender} already.")


def _row(facility: Facility) -> Sequence[str]:
    confirmed = "yes" if facility.confirmed else "no"
    return (facility.number, facility.name, _listed(facility.senders), facility.charset, confirmed)


def _listed(senders: Sequence[str]) -> str:
    return ", ".join(senders) or "-"
