"""What processes use, read from /proc: CPU time and memory."""

import os
from collections.abc import Iterable
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """Returns the process ids of `root` and all its descendants."""
    children = [int(one) for task in _tasks(root) for one in _text(task / "children").split()]
    return [root, *(pid for child in children for pid in tree(child))]


def children(root: int) -> dict[str, int]:
    """Returns the direct children of a server by the part each runs: {"web": 4711, …}."""
    return {_command(pid)[-1]: pid for task in _tasks(root) for pid in map(int, _text(task / "children").split())}


def cpu_seconds(pids: Iterable[int]) -> float:
    """Returns the user and system time that the processes have used so far."""
    fields = (_text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split() for pid in pids)
    return sum(int(one[11]) + int(one[12]) for one in fields if one) / _TICK


def memory_mb(pid: int) -> float:
    """Returns the proportional set size: shared pages count by their share."""
    lines = _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _command(pid: int) -> list[str]:
    return _text(Path(f"/proc/{pid}/cmdline")).rstrip("\0").split("\0")


def _text(file: Path) -> str:
    """Empty for a process that is gone."""
    try:
        return file.read_text()
    except OSError:
        return ""
