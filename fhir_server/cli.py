"""The command `kakehashi`. Only a table: what a command does is imported when it is asked for."""

import sys
from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "serve": ("fhir_server.serve:command", "Start everything for one machine: database, API, feeds."),
    "status": ("fhir_server.terminal:command", "Show what is stored, what arrived, what waits."),
    "explain": ("fhir_server.explain:command", "Show how a search is run, and what it costs."),
    "replay": ("fhir_server.replay:command", "Let what waits in quarantine be processed again."),
    "reindex": ("fhir_server.reindex:command", "Index what is out of date, or all; show how far it is."),
    "facility add": ("adapters.facilities:add", "Enter a facility that feeds the network, or change it."),
    "facility list": ("adapters.facilities:show", "List the facilities that feed the network."),
    "check hl7v2": ("adapters.hl7v2.check:command", "Check HL7 v2 messages in files against the standard."),
    "load ssmix2": ("adapters.ssmix2.load:command", "Load an SS-MIX2 standardized storage."),
    "conformance fhir": ("conformance.command:fhir", "Check a FHIR server from outside, over HTTP alone."),
    "web": ("fhir_server.parts:web", "The REST API alone."),
    "mllp": ("fhir_server.parts:mllp", "The HL7 v2 listener alone."),
    "watch": ("fhir_server.parts:watch", "The watcher of the SS-MIX2 drop folder alone."),
    "worker": ("fhir_server.parts:worker", "The worker that turns what arrived into FHIR, alone."),
}
# What `serve` starts beside them, of no use to people.
INTERNAL = {"demo": "fhir_server.parts:demo"}


class Commands(click.Group):
    """The commands of the table that begin with `prefix`; `load ssmix2` is `ssmix2` in the group `load`."""

    def __init__(self, prefix: str = "", **given: Any) -> None:
        super().__init__(**given)
        self.prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(dict.fromkeys(name.split()[0] for name in self._rest()))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        name = self.prefix + cmd_name
        if name in COMMANDS or name in INTERNAL:
            return _imported(INTERNAL.get(name) or COMMANDS[name][0])
        if cmd_name not in self.list_commands(ctx):
            return None
        return Commands(f"{name} ", name=cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, text in self._rest().items()])

    def _rest(self) -> dict[str, str]:
        return {
            name.removeprefix(self.prefix): text
            for name, (_, text) in COMMANDS.items()
            if name.startswith(self.prefix)
        }


def _imported(place: str) -> click.Command:
    module, _, name = place.partition(":")
    command: click.Command = getattr(import_module(module), name)
    return command


commands = Commands(name="kakehashi", help="Kakehashi: the FHIR R4 server of a regional health network.")


def main() -> None:
    """Runs the command line; what a person can mend is said in one line, without a traceback."""
    from fhir_server.outcome import FHIRError
    from fhir_server.store.error import StoreError

    try:
        commands()
    except (FHIRError, StoreError) as error:
        sys.exit(f"kakehashi: {error}")


if __name__ == "__main__":
    main()
