"""`kakehashi explain`: how a search is run, and what it costs the database."""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl

import click
from rich.console import Console
from rich.table import Table

from fhir_server import options
from fhir_server.definitions import registry
from fhir_server.definitions.registry import Definitions
from fhir_server.outcome import NotFound
from fhir_server.parameters import Parameters
from fhir_server.search.codes import StoredCodes
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.store.explained import Explained, Step
from fhir_server.store.plan import Plan
from fhir_server.store.store import Store
from fhir_server.terminal import existing, table

_HEADS = ("", "type", "what for", "index", "keys", "documents", "rows", "ms")


@click.command()
@options.settings("data_dir", "mongodb_uri", "demo")
@click.argument("search", metavar="'TYPE?NAME=VALUE&...'")
def command(search: str, **given: Any) -> None:
    """Show how a search such as 'Observation?patient=p1&code=8480-6' is run: what drives it, what sifts, what it costs.

    It is run as by somebody who may see everything. Nothing that it finds is shown.
    """
    config = options.config(**given)
    with existing(config) as store:
        definitions = Parameters(store, registry.load().with_text(config.text)).known.definitions
        seen = store.explain(planned(search, definitions, store))
    console = Console()
    for one in tables(seen):
        console.print(one)


def planned(search: str, definitions: Definitions, store: Store) -> Plan:
    """Returns the plan of a search as it would follow the base URL.

    Raises NotFound for a type that there is not, and what a search raises for its parameters.
    """
    type_, _, query = search.partition("?")
    if type_ not in definitions.resource_types:
        raise NotFound(f"There is no resource type {type_[:60]!r}. Write 'Observation?patient=p1', without a base URL.")
    codes = StoredCodes(definitions, lambda asked: [row.raw for row in store.find(asked).rows])
    return plan(parse(type_, parse_qsl(query, keep_blank_values=True), definitions, codes=codes))


def tables(seen: Explained) -> Iterator[Table]:
    """Yields what was decided, and what each command to the database did."""
    yield table("Plan", ("part", "by what"), seen.decided)
    together = (sum(numbers) for numbers in zip(*map(_numbers, seen.steps), strict=True))
    rows = [(str(at), one.type, one.purpose, one.index, *_shown(_numbers(one))) for at, one in enumerate(seen.steps, 1)]
    yield table(f"Run: {seen.rows} rows on the page", _HEADS, [*rows, ("", "", "together", "", *_shown(together))])


def _numbers(step: Step) -> Sequence[int]:
    return step.keys, step.documents, step.rows, step.ms


def _shown(numbers: Iterator[int] | Sequence[int]) -> Iterator[str]:
    return (f"{one:,}" for one in numbers)
