"""The parts of a server, each a process of its own: alone under their names, or all together under `serve`.

What only one of them needs is imported where it starts: the process that holds the socket needs no application.
"""

import logging
import multiprocessing
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from fhir_server import log, options, supervise
from fhir_server.config import Config, from_environment
from fhir_server.outcome import Unavailable
from fhir_server.store import embedded
from fhir_server.store.error import StoreError
from fhir_server.store.heartbeat import EVERY
from fhir_server.trace import where

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from granian.server.common import AbstractServer

    from fhir_server.context import Context

RUN = {
    "mllp": "adapters.hl7v2.mllp:run",
    "watch": "adapters.ssmix2.watch:run",
    "worker": "adapters.worker:run",
    "demo": "adapters.demo.run:run",
}

_DATABASE = ("data_dir", "mongodb_uri", "open", "demo")
# In each web worker, at work at once: more would only wait for one another. A thread more for each slow sender.
_PLACES, _THREADS = 4, 64
_STOP_SECONDS = 5
_GLANCE = 0.05

logger = logging.getLogger(__name__)


@click.command()
@options.settings("host", "port", "base_url", "workers", *_DATABASE)
def web(**given: Any) -> None:
    """The REST API alone."""
    serve_web(options.config(**given))


@click.command()
@options.settings("mllp_host", "mllp_port", *_DATABASE)
def mllp(**given: Any) -> None:
    """The HL7 v2 listener alone."""
    run("mllp", options.config(**given))


@click.command()
@options.settings(*_DATABASE)
def watch(**given: Any) -> None:
    """The watcher of the SS-MIX2 drop folder alone."""
    run("watch", options.config(**given))


@click.command()
@options.settings(*_DATABASE)
def worker(**given: Any) -> None:
    """The worker that turns what arrived into FHIR, alone."""
    run("worker", options.config(**given))


@click.command()
@options.settings("host", "port", "mllp_host", "mllp_port", *_DATABASE)
def demo(**given: Any) -> None:
    """The synthetic region's hospitals, sending."""
    run("demo", options.config(**given))


def run(part: str, config: Config) -> None:
    """Runs a part until Ctrl-C, SIGTERM or the end of its supervisor."""
    from fhir_server.app import open_context

    log.start()
    supervise.end_with_supervisor()
    stop = supervise.stopping()
    entry = _imported(RUN[part])
    address = (config.mllp_host, config.mllp_port) if part == "mllp" else None
    with told(part), open_context(config) as context, signing(part, context, address):
        context.parameters.publish()
        entry(context, stop)


def serve_web(config: Config) -> None:
    """Runs the web workers. This process only holds the socket and the database."""
    log.start()
    supervise.end_with_supervisor()
    os.environ.update(config.environment())
    multiprocessing.set_start_method("spawn")
    with database(config):
        granian("fhir_server.parts:application", config).serve()


def granian(application: str, config: Config) -> "AbstractServer[Any]":
    """Returns the web server for what the factory `module:name` makes in each of its workers."""
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels
    from granian.server.mp import MPServer

    return MPServer(
        application,
        factory=True,
        address=config.host,
        port=config.port,
        interface=Interfaces.WSGI,
        workers=config.workers,
        blocking_threads=_THREADS,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,
        respawn_failed_workers=True,
        respawn_interval=0.5,
        workers_kill_timeout=_STOP_SECONDS,
    )


def application() -> "WSGIApplication":
    """Returns the application of one web worker; its Context lives as long as the process."""
    from fhir_server.app import create_app, open_context
    from fhir_server.places import Places

    log.start()
    if parent := multiprocessing.parent_process():
        supervise.end_with(parent.pid or 0)
    open_until_the_end = ExitStack()
    with told("web"):
        context = open_until_the_end.enter_context(open_context(from_environment()))
        context.parameters.publish()
        open_until_the_end.enter_context(signing("web", context))
        app = create_app(context)
    app.extensions["open"] = open_until_the_end
    return Places(app, _PLACES)


@contextmanager
def told(part: str) -> Iterator[None]:
    """Ends the process where the part fails. Foreign words may show a patient; of them only the place is told."""
    try:
        yield
    except (StoreError, Unavailable) as error:
        logger.critical("%s: %s", part, error)
        sys.exit(1)
    except Exception as error:
        logger.critical("%s ended by %s", part, where(error))
        sys.exit(1)


@contextmanager
def database(config: Config) -> Iterator[str]:
    """Gives the URI of the database: MONGODB_URI or the embedded one, held open meanwhile."""
    if config.mongodb_uri:
        yield config.mongodb_uri
        return
    with embedded.running(config.data_dir, config.cache_gb) as uri:
        yield uri


@contextmanager
def signing(part: str, context: "Context", address: tuple[str, int] | None = None) -> Iterator[None]:
    """Signs as alive in the store while the part runs; a part that listens at `address` only once it does."""
    name, ended = f"{socket.gethostname()}:{os.getpid()}", threading.Event()

    def sign() -> None:
        while address and not listens(*address) and not ended.wait(_GLANCE):
            pass
        _sign(part, name, context, ended)

    thread = threading.Thread(target=sign, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(EVERY)


def listens(host: str, port: int) -> bool:
    """Tells whether somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _sign(part: str, name: str, context: "Context", ended: threading.Event) -> None:
    """The store reports a database that does not answer; the next signature says that it is back."""
    beats = context.store.heartbeats
    while not ended.is_set():
        with suppress(Unavailable):
            beats.beat(part, name, context.now())
        ended.wait(EVERY)
    with suppress(Unavailable):
        beats.leave(part, name)


def _imported(place: str) -> "Callable[[Context, threading.Event], None]":
    module, _, name = place.partition(":")
    entry: "Callable[[Context, threading.Event], None]" = getattr(import_module(module), name)
    return entry
