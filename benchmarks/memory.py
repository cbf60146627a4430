"""Memory of the server after all that came before (proportional set size: shared pages count by their share)."""

from collections.abc import Iterator

from benchmarks import processes
from benchmarks.result import Result, at_most
from benchmarks.site import Site


def run(site: Site) -> Iterator[Result]:
    parts = processes.children(site.server.pid)
    workers = [processes.memory_mb(pid) for pid in processes.tree(parts["web"])[1:]]
    yield Result("memory of a web worker", max(workers), "MB", at_most(200))
    for part in ("worker", "mllp", "watch"):
        yield Result(f"memory of {part}", processes.memory_mb(parts[part]), "MB", at_most(200))
    server, database = (sum(map(processes.memory_mb, pids)) for pids in site.server.processes())
    yield Result("memory of everything", server + database, "MB", detail=f"{database:,.0f} MB of it the database")
