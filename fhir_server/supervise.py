"""Child processes: started, watched, started again when they die, stopped in order; none outlives its parent."""

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Protocol

log = logging.getLogger(__name__)

_PARENT = "KAKEHASHI_PARENT"
_POLL = 0.2
_GRACE = 10.0
_STEADY = 60.0
_LONGEST = 30.0


class Child:
    """One part of the server in a process of its own.

    In a session of its own, so that Ctrl-C in a terminal reaches the parent alone and the order of stopping is ours.
    """

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = command
        self._environment = {**environment, _PARENT: str(os.getpid())}
        self._failures = 0
        self._asked = False
        self._process: subprocess.Popen[bytes] | None = None
        self._started = self._due = 0.0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def tend(self, now: float) -> None:
        """Starts the process where none runs: at once the first time, a little later after each quick end.

        However well it ended: a part runs until it is asked to stop.
        """
        if self._process and self._process.poll() is not None:
            self._bury(self._process.returncode, now)
        if not self._process and not self._asked and now >= self._due:
            self._start(now)

    def ask(self) -> None:
        """Asks the process to stop; it is not started again."""
        self._asked = True
        if self._process and self._process.poll() is None:
            self._process.terminate()

    def wait(self, seconds: float) -> None:
        """Waits for the end, and makes one after `seconds`."""
        if not self._process:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            log.warning("%s did not stop in %.0f s and is killed", self.name, seconds)
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _start(self, now: float) -> None:
        self._process = subprocess.Popen(self._command, env=self._environment, start_new_session=True)
        self._started = now

    def _bury(self, code: int, now: float) -> None:
        self._process = None
        self._failures = 0 if now - self._started > _STEADY else self._failures + 1
        pause = min(_LONGEST, 0.25 * 2**self._failures) if self._failures > 1 else 0.0
        self._due = now + pause
        log.warning("%s ended (%s); started again in %.1f s", self.name, _ending(code), pause)


class Tended(Protocol):
    """What is looked after a few times a second: a child, or the database."""

    def tend(self, now: float) -> None: ...


def watch(tended: Sequence[Tended], stop: threading.Event) -> None:
    """Keeps everything running until `stop` is set."""
    while not stop.is_set():
        for one in tended:
            one.tend(time.monotonic())
        stop.wait(_POLL)


def stop_all(children: Sequence[Child]) -> None:
    """Asks all children to stop, then waits for each of them."""
    for child in children:
        child.ask()
    for child in children:
        child.wait(_GRACE)


def stopping() -> threading.Event:
    """Returns an event that Ctrl-C or SIGTERM sets; the second Ctrl-C is as hard as ever."""
    stop = threading.Event()

    def ask(number: int, frame: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    signal.signal(signal.SIGINT, ask)
    signal.signal(signal.SIGTERM, ask)
    return stop


def end_with(parent: int) -> None:
    """Ends this process soon after `parent` has ended, however that ended."""
    threading.Thread(target=_follow, args=(parent,), name="parent", daemon=True).start()


def end_with_supervisor() -> None:
    """Ends this process with the one that supervises it; alone it does nothing."""
    if parent := os.environ.get(_PARENT):
        end_with(int(parent))


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE)
    os._exit(1)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
