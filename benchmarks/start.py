"""How long from the start of `kakehashi serve` to the first answer of /fhir/metadata."""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result, at_most
from benchmarks.server import serving
from benchmarks.site import Site
from fhir_server.store import embedded


def run(site: Site) -> Iterator[Result]:
    data = site.folder / "started"
    yield Result("start to /metadata, embedded database, empty folder", _start(data), "s", at_most(4))
    yield Result("start to /metadata, embedded database, with data", _start(data), "s", at_most(4))
    with embedded.running(data):
        yield Result("start to /metadata, database running", _start(data), "s", at_most(2))


def _start(data: Path) -> float:
    start = time.perf_counter()
    with serving(data, until="/fhir/metadata"):
        return time.perf_counter() - start
