"""`kakehashi serve`: everything for one machine, started, watched and stopped by one process."""

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import click

from fhir_server import options, parts, status, supervise
from fhir_server.config import Config
from fhir_server.log import start as start_log
from fhir_server.store import embedded
from fhir_server.store.error import StoreError
from fhir_server.store.folder import drop_folder
from fhir_server.store.store import Store

SETTINGS = ("host", "port", "base_url", "mllp_host", "mllp_port", "data_dir", "mongodb_uri", "workers", "open", "demo")
# Started last. Stopped they go first, for they take messages in: the workers still work on what has come.
FEEDS, DEMONSTRATION = ("mllp", "watch"), ("demo",)
_READY_SECONDS = 60.0
# glibc keeps memory of its own for every thread, and a part has many: two areas for all are as fast and half as large.
FRUGAL = {"MALLOC_ARENA_MAX": "2"}
_DATABASE_PAUSE = 10.0

log = logging.getLogger(__name__)

OPEN_WARNING = "WARNING: --open: no authorization. Anyone on this machine may read and write everything. Trial only."


@click.command()
@options.settings(*SETTINGS)
def command(**given: Any) -> None:
    """Start everything for one machine: database, REST API, HL7 v2 listener, SS-MIX2 watcher, worker.

    Without --mongodb-uri (or MONGODB_URI) it starts a trial database of its own in the data folder.
    """
    config = options.config(**given)
    refuse_taken(config.host, config.port, "--port")
    refuse_taken(config.mllp_host, config.mllp_port, "--mllp-port")
    start_log()
    serve(config, supervise.stopping())


def serve(config: Config, stop: threading.Event) -> None:
    """Runs all parts until `stop` is set."""
    with ExitStack() as stack:
        uri = stack.enter_context(parts.database(config))
        store = stack.enter_context(Store(uri, config.database))
        store.prepare(demo=config.demo)
        drop_folder(config.data_dir)
        inside = [_child(name, config) for name in ("web", *["worker"] * config.workers)]
        feeds = [_child(name, config) for name in (*FEEDS, *(DEMONSTRATION if config.demo else ()))]
        stack.callback(supervise.stop_all, inside)
        stack.callback(supervise.stop_all, feeds)
        threading.Thread(target=_announce, args=(config, store, stop), daemon=True).start()
        supervise.watch([*_databases(config), *inside, *feeds], stop)
        click.echo("Stopping …", err=True)


class TrialDatabase:
    """The embedded mongod, started again when it was killed under its users."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._due = 0.0

    def tend(self, now: float) -> None:
        if now < self._due or embedded.alive(self._config.data_dir):
            return
        log.warning("the trial database ended; started again")
        try:
            embedded.revive(self._config.data_dir, self._config.cache_gb)
        except StoreError as error:
            log.error("%s", error)
            self._due = now + _DATABASE_PAUSE


def refuse_taken(host: str, port: int, option: str) -> None:
    """Refuses a port that somebody else listens on, or an address that is not ours. Raises click.UsageError."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(address)
            attempt.listen()
    except OSError as error:
        reason = f"Cannot listen on {host}:{port} ({error.strerror})."
        raise click.UsageError(f"{reason} Choose another with {option}.") from None


def summary(config: Config) -> str:
    """Returns what to open and what to try, ready to be copied."""
    page = f"http://{_url_host(config.host)}:{config.port}"
    lines = [
        "",
        "Kakehashi is running.",
        f"  page        {page}/",
        f"  FHIR API    {page}/fhir",
        f"  HL7 v2      {config.mllp_host}:{config.mllp_port} (MLLP)",
        f"  SS-MIX2     put a storage into {config.data_dir}/ssmix2/<institution number>/",
        f"  status      kakehashi status {_where(config)}",
        "",
        *(["Try:", *_examples(page), ""] if config.open else []),
        *([] if config.mongodb_uri else [embedded.WARNING]),
        *([OPEN_WARNING] if config.open else ["Every request needs authorization; for a trial use --open."]),
        "Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def _databases(config: Config) -> list[TrialDatabase]:
    return [] if config.mongodb_uri else [TrialDatabase(config)]


def _child(name: str, config: Config) -> supervise.Child:
    command = [sys.executable, "-m", "fhir_server.cli", name]
    return supervise.Child(name, command, {**FRUGAL, **os.environ, **config.environment()})


def _examples(page: str) -> Sequence[str]:
    return (
        f"  curl {page}/fhir/metadata",
        f"  curl '{page}/fhir/Patient?identifier=0000000001'",
        f"  curl '{page}/fhir/Observation?_sort=-date&_count=5'",
        f"  curl -X PUT {page}/fhir/Patient/p1 -H 'Content-Type: application/fhir+json' \\\n"
        """    -d '{"resourceType": "Patient", "id": "p1", "name": [{"text": "見本 花子"}]}'""",
    )


def _announce(config: Config, store: Store, stop: threading.Event) -> None:
    """Prints the summary once the parts are at work, and what is missing when they do not come."""
    until = time.monotonic() + _READY_SECONDS
    while not stop.is_set() and time.monotonic() < until:
        if parts.listens(config.host, config.port) and all(status.ready(store, datetime.now(UTC)).values()):
            click.echo(summary(config))
            sys.stdout.flush()
            return
        stop.wait(0.1)


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _where(config: Config) -> str:
    return "--mongodb-uri …" if config.mongodb_uri else f"--data-dir {config.data_dir}"
