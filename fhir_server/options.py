"""The settings as options of a command: `--port 8081` before `KAKEHASHI_PORT` before the default."""

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import replace
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
    "workers": {"help": "Processes of the REST API; under serve as many workers.", "type": click.IntRange(1, 64)},
    "base_url": {"help": "Address of the FHIR API as clients know it, such as https://fhir.example.jp/fhir; without it "
                 "links carry the host name of each request.", "metavar": "URL"},
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
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    _refuse_open(read)
    _refuse_odd_base(read.base_url)
    _refuse_odd_origins(read.cors_origins)
    if read.demo and read.data_dir == Config.data_dir:
        return replace(read, data_dir=Config.data_dir / "demo")
    return read


def institution(_: click.Context, __: click.Parameter, value: str) -> str:
    """Returns an institution number as it was given. Raises click.BadParameter for what is none."""
    if len(value) != 10 or not value.isascii() or not value.isdecimal():
        raise click.BadParameter("it has 10 digits: prefecture 2, fee table 1, institution 7.")
    return value


def _refuse_open(config: Config) -> None:
    """Refuses --open unless only this machine can reach what listens."""
    for address, option in ((config.host, "--host"), (config.mllp_host, "--mllp-host")):
        if config.open and not _loopback(address):
            raise click.UsageError(
                f"--open is for a trial on this machine alone, but {option} {address} can be reached from elsewhere."
            )


def _refuse_odd_base(url: str) -> None:
    if url and (not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", url) or url.endswith("/")):
        raise click.UsageError(
            f"--base-url {url} is no address such as https://fhir.example.jp/fhir, without / at its end."
        )


def _refuse_odd_origins(origins: tuple[str, ...]) -> None:
    for one in origins:
        if not re.fullmatch(r"https?://[^\s/?#,]+", one):
            raise click.UsageError(f"KAKEHASHI_CORS_ORIGINS names {one}, no origin such as https://app.example.jp.")


def _loopback(address: str) -> bool:
    try:
        found = socket.getaddrinfo(address, None)
    except OSError:
        return False
    return all(ipaddress.ip_address(one[4][0]).is_loopback for one in found)


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
