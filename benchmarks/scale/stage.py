"""A server whose database holds a region that grows."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import cache, partial

from rich.progress import track

from benchmarks import processes
from benchmarks.scale import region
from benchmarks.site import Site
from fhir_server.access.caller import SYSTEM
from fhir_server.app import open_context
from fhir_server.config import Config
from fhir_server.context import Context
from fhir_server.fhirjson import Resource
from fhir_server.transact import Create, transact

MB = 2**20
# Patients that share what surrounds them are written in transactions of 5.
AT_ONCE = 5
WRITERS = 2


class Stage:
    """A site with `patients` patients of 100 resources each."""

    def __init__(self, site: Site) -> None:
        self.site, self.patients = site, 0

    @property
    def origin(self) -> str:
        return self.site.server.origin

    def grow(self, patients: int) -> None:
        """Writes what is missing, through `transact`, from two processes."""
        groups = range(-(-self.patients // region.SHARED), -(-patients // region.SHARED))
        if not groups:
            return
        with ProcessPoolExecutor(WRITERS) as pool:
            work = pool.map(partial(_write, self.site.context.config), groups)
            for _ in track(work, f"{patients:,} patients", len(groups)):
                pass
        self.patients = groups.stop * region.SHARED

    def size(self) -> tuple[float, float]:
        """Returns what the database has on disk, in MB: all of it, and its indexes."""
        told = self.site.stored.command("dbStats")
        return (told["storageSize"] + told["indexSize"]) / MB, told["indexSize"] / MB

    def memory(self) -> float:
        """Returns the memory of the server and its database, in MB."""
        server, database = self.site.server.processes()
        return sum(map(processes.memory_mb, (*server, *database)))


@cache
def _context(config: Config) -> Context:
    """One for a process, until it ends."""
    return ExitStack().enter_context(open_context(config))


def _write(config: Config, group: int) -> None:
    for some in _transactions(group):
        transact([Create(one, one["id"]) for one in some], _context(config), SYSTEM)


def _transactions(group: int) -> Iterator[list[Resource]]:
    yield list(region.shared(group))
    first = group * region.SHARED
    for start in range(first, first + region.SHARED, AT_ONCE):
        yield [one for number in range(start, start + AT_ONCE) for one in region.resources(number)]
