"""Memory of the server after all that came before (proportional set size: shared pages count by their share)."""

from collections.abc import Iterator

from benchmarks import processes
from benchmarks.result import Result, at_most
from benchmarks.site import Site
from fhir_server.store import embedded


def run(site: Site) -> Iterator[Result]:
    parts = processes.children(site.server.pid)
    workers = [processes.memory_mb(pid) for pid in processes.tree(parts["web"])[1:]]
    yield Result("memory of a web worker", max(workers), "MB", at_most(200))
    for part in ("worker", "mllp", "watch"):
        yield Result(f"memory of {part}", processes.memory_mb(parts[part]), "MB", at_most(200))
    database = embedded.pid(site.server.config.data_dir) or 0
    everything = sum(map(processes.memory_mb, site.server.processes()))
    yield Result("memory of everything", everything, "MB", detail=f"{processes.memory_mb(database):,.0f} the database")
