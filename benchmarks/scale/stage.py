"""A server whose database holds a region that grows."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from multiprocessing import get_context

from rich.progress import track

from benchmarks import processes
from benchmarks.scale import region
from benchmarks.site import Site
from fhir_server.access.caller import SYSTEM
from fhir_server.app import open_context
from fhir_server.config import Config
from fhir_server.fhirjson import Resource
from fhir_server.transact import Create, transact

MB = 2**20
# Patients of one transaction, and groups of patients that one opening of the database writes.
AT_ONCE, GROUPS = 5, 10
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
        with ProcessPoolExecutor(WRITERS, get_context("spawn")) as pool:
            shares = [groups[start : start + GROUPS] for start in range(0, len(groups), GROUPS)]
            work = pool.map(partial(_write, self.site.context.config), shares)
            for _ in track(work, f"{patients:,} patients", len(shares)):
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


def _write(config: Config, groups: range) -> None:
    with open_context(config) as context:
        for some in chain.from_iterable(map(_transactions, groups)):
            transact([Create(one, one["id"]) for one in some], context, SYSTEM)


def _transactions(group: int) -> Iterator[list[Resource]]:
    yield list(region.shared(group))
    first = group * region.SHARED
    for start in range(first, first + region.SHARED, AT_ONCE):
        yield [one for number in range(start, start + AT_ONCE) for one in region.resources(number)]
