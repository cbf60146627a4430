"""Child processes are started again when they die, and none outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

from fhir_server.supervise import Child, stop_all, watch

FOLLOWS = "from fhir_server import supervise; supervise.end_with_supervisor(); import time; time.sleep(600)"
PARENT = """
import os, sys, time
from fhir_server.supervise import Child
child = Child("part", [sys.executable, "-c", sys.argv[1]], os.environ)
child.tend(0.0)
print(child.pid, flush=True)
time.sleep(600)
"""


def wait_for(promise: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not promise() and time.monotonic() < until:
        time.sleep(0.05)
    return promise()


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state == "Z"


def test_a_child_that_is_killed_is_started_again_and_all_are_stopped_at_the_end() -> None:
    child, stop = Child("part", ["sleep", "600"], os.environ), Event()
    watching = Thread(target=watch, args=([child], stop))
    watching.start()
    assert wait_for(lambda: child.pid is not None)
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert wait_for(lambda: child.pid not in (None, first))
    second = child.pid
    assert second is not None
    stop.set()
    watching.join()
    stop_all([child])
    assert gone(first) and gone(second)


def test_a_child_that_keeps_dying_is_started_ever_more_slowly() -> None:
    child, now, starts = Child("part", ["false"], os.environ), 0.0, []
    while len(starts) < 4:
        before = child.pid
        child.tend(now)
        if child.pid is not None and child.pid != before:
            starts.append(now)
            wait_for(lambda: gone(child.pid or 0))
        now += 0.25
    stop_all([child])
    assert starts == [0.0, 0.25, 1.5, 3.75]


def test_a_child_that_ends_well_is_started_again_unless_it_was_asked_to_end() -> None:
    child = Child("part", ["true"], os.environ)
    child.tend(0.0)
    first = child.pid or 0
    assert wait_for(lambda: gone(first))
    child.tend(1.0)
    second = child.pid or 0
    assert second not in (0, first)
    child.ask()
    assert wait_for(lambda: gone(second))
    child.tend(1_000_000.0)
    child.tend(2_000_000.0)
    assert child.pid is None


def test_a_child_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, FOLLOWS], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    assert not gone(child)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_for(lambda: gone(child))
