"""`kakehashi check hl7v2`: what a deep validation finds in messages that lie in files."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from adapters.hl7v2.parse import Unreadable, read
from adapters.hl7v2.validate import warnings
from fhir_server.visible import visible


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(files: Sequence[Path]) -> None:
    """Check HL7 v2 messages, one a file, against the standard; exit code 1 when anything is found.

    Stricter than what is let in: a finding is a hint for whoever makes the messages, and may quote them.
    """
    found = {file: findings(file.read_bytes()) for file in files}
    for file, texts in found.items():
        for text in texts:
            click.echo(visible(f"{file}: {text}"))
    sys.exit(1 if any(found.values()) else 0)


def findings(raw: bytes) -> list[str]:
    """Returns what is wrong with a message: one sentence where it cannot be read at all."""
    try:
        return warnings(read(raw))
    except Unreadable as error:
        return [str(error)]
