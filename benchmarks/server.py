"""A server as a person starts it, `kakehashi serve --open`, on free ports and in a folder of its own."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import processes
from fhir_server.config import Config
from fhir_server.store import embedded

WORKERS = 2
PATIENCE = 60.0


@dataclass(frozen=True)
class Server:
    """A running server: its settings and the process that supervises it."""

    config: Config
    pid: int

    @property
    def origin(self) -> str:
        return f"http://{self.config.host}:{self.config.port}"

    def processes(self) -> tuple[list[int], list[int]]:
        """Returns the processes of the server, and those of its database."""
        database = embedded.pid(self.config.data_dir)
        return processes.tree(self.pid), [database] if database else []


@contextmanager
def serving(folder: Path, until: str = "/health/ready") -> Iterator[Server]:
    """Starts a server and gives it as soon as it answers `until` with 200; stops it after the block."""
    port, mllp_port = free_ports(2)
    config = Config(port=port, mllp_port=mllp_port, data_dir=folder, open=True, workers=WORKERS)
    with process(["fhir_server.cli", "serve"], config, folder.with_suffix(".log")) as pid:
        await_answer(config, until)
        yield Server(config, pid)


@contextmanager
def process(module: list[str], config: Config, log: Path) -> Iterator[int]:
    """Runs `python -m module …` with these settings until the block ends; gives its process id."""
    with log.open("ab") as out:
        running = subprocess.Popen(
            [sys.executable, "-m", *module], env={**os.environ, **config.environment()}, stdout=out, stderr=out)
        try:
            yield running.pid
        finally:
            running.send_signal(signal.SIGTERM)
            running.wait()


def await_answer(config: Config, path: str) -> None:
    """Returns when `path` answers 200. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    while _status(config, path) != 200:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{path} did not answer in {PATIENCE:.0f} s; see {config.data_dir}.log")
        time.sleep(0.01)


def free_ports(number: int) -> list[int]:
    """Returns ports that nobody listens on, all different."""
    taken = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [one.getsockname()[1] for one in taken]
    for one in taken:
        one.close()
    return ports


def _status(config: Config, path: str) -> int:
    connection = http.client.HTTPConnection(config.host, config.port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
