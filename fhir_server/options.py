"""The settings as options of a command: `--port 8081` before `KAKEHASHI_PORT` before the default."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from fhir_server.config import Config, from_environment

Command = TypeVar("Command", bound=Callable[..., Any])

_PORT = click.IntRange(1, 65535)
_FOLDER = click.Path(file_okay=False, path_type=Path)

OPTIONS: dict[str, dict[str, Any]] = {
    "host": {"help": "Address the REST API listens on.", "metavar": "ADDRESS"},
    "port": {"help": "Port of the REST API.", "type": _PORT},
    "mllp_host": {"help": "Address the HL7 v2 listener listens on.", "metavar": "ADDRESS"},
    "mllp_port": {"help": "Port of the HL7 v2 listener.", "type": _PORT},
    "data_dir": {"help": "Folder of the trial database, the drop folder and the logs.", "type": _FOLDER},
    "mongodb_uri": {"help": "A MongoDB replica set or sharded cluster; without it a trial database is started."},
    "workers": {"help": "Processes of the REST API.", "type": click.IntRange(1, 64)},
    "open": {"help": "No authorization: for a trial on this machine alone.", "is_flag": True},
    "demo": {"help": "A synthetic region in a data folder of its own.", "is_flag": True},
}


def settings(*names: str) -> Callable[[Command], Command]:
    """Gives a click command the options `names` of the table; what they set comes to it as keyword arguments."""

    def add(command: Command) -> Command:
        for name in reversed(names):
            command = click.option(_flag(name), name, default=None, **OPTIONS[name])(command)
        return command

    return add


def config(**given: Any) -> Config:
    """Returns the settings of a command. A demonstration has a data folder of its own. Raises click.UsageError."""
    try:
        read = from_environment(**given)
        plain = from_environment(**{**given, "demo": False})
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    if read.demo and plain.data_dir == Config.data_dir:
        return from_environment(**{**given, "data_dir": Config.data_dir / "demo"})
    return read


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
