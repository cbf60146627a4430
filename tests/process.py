"""`kakehashi serve` for a test: the real program, with ports and a data folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests

SECONDS = 60.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


def wait_for(promise: Callable[[], bool], what: str) -> None:
    """Waits until `promise` holds. Raises AssertionError naming `what` does not come."""
    until = time.monotonic() + SECONDS
    while not promise():
        assert time.monotonic() < until, f"{what} did not come in {SECONDS:.0f} s"
        time.sleep(0.05)


def kakehashi(*arguments: str, cwd: Path, **environment: str) -> tuple[int, str]:
    """Runs the command as a person would; returns its exit code and everything it said."""
    command = [sys.executable, "-m", "fhir_server.cli", *arguments]
    surroundings = {**os.environ, "COLUMNS": "200", **environment}
    done = subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True, timeout=SECONDS)
    return done.returncode, done.stdout + done.stderr


@dataclass
class Serve:
    """A running `kakehashi serve`. `page` is where it answers."""

    folder: Path
    options: tuple[str, ...]
    port: int = field(default_factory=free_port)
    mllp_port: int = field(default_factory=free_port)

    @property
    def page(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        return self.folder / "region"

    @property
    def said(self) -> str:
        return (self.folder / "said").read_text(encoding="utf-8")

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Starts it, waits until it says that it runs, and stops it as Ctrl-C does."""
        ports = ("--port", str(self.port), "--mllp-port", str(self.mllp_port), "--data-dir", str(self.data))
        command = [sys.executable, "-m", "fhir_server.cli", "serve", *ports, *self.options]
        with (self.folder / "said").open("wb") as said:
            process = subprocess.Popen(command, cwd=self.folder, stdout=said, stderr=said, start_new_session=True)
        try:
            wait_for(lambda: "Kakehashi is running." in self.said or process.poll() is not None, "the server")
            yield process
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(SECONDS)

    def processes(self, *names: str) -> list[int]:
        """Returns who works on the data folder: our own processes, and their children by their surroundings.

        names  only those whose command line has one of these in it
        """
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _works_on(path, self.data, names)]

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.page + path, headers=headers, timeout=SECONDS)

    def send(self, message: bytes) -> bytes:
        """Sends one HL7 v2 message; returns the acknowledgement."""
        with socket.create_connection(("127.0.0.1", self.mllp_port), timeout=SECONDS) as connection:
            connection.sendall(b"\x0b" + message + b"\x1c\r")
            received = b""
            while not received.endswith(b"\x1c\r"):
                received += connection.recv(65536)
        return received[1:-2]


def _works_on(path: Path, data: Path, names: tuple[str, ...]) -> bool:
    try:
        command = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        known = command + (path / "environ").read_bytes().decode("utf-8", "replace")
    except OSError:
        return False
    ours = str(data) in known and bool(command) and int(path.name) != os.getpid()
    return ours and (not names or any(name in command for name in names))
