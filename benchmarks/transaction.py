"""transaction: Bundles of synthetic patients, 100 to 2,600 entries, from 4 clients."""

import http.client
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks import floor, patients
from benchmarks.result import Result, at_least
from benchmarks.site import Site
from fhir_server.config import Config
from fhir_server.fhirjson import encode

_CLIENTS = 4
_TYPES = ("Patient", "Encounter", *patients.STATED)
# Of each type, for the floor.
_SAMPLE = 1500


def run(site: Site) -> Iterator[Result]:
    site.seed(site.scale.stored[1])
    sizes = patients.sizes(site.scale.bundles)
    bundles = [encode(patients.bundle(10_000 + number, size)) for number, size in enumerate(sizes)]
    before, start = site.cpu(), time.perf_counter()
    with ThreadPoolExecutor(_CLIENTS) as pool:
        statuses = list(pool.map(lambda raw: _post(site.server.config, raw), bundles))
    seconds, used = time.perf_counter() - start, site.cpu().since(before)
    yield Result(f"transactions of 100 to 2,600 entries, {_CLIENTS} clients", sum(sizes) / seconds, "resources/s",
                 at_least(6000), f"{sum(map(len, bundles)) / seconds / 2**20:.1f} MB/s; {used.each(sum(sizes))}",
                 _floor(site, _TYPES), sum(status != 200 for status in statuses))


def _post(config: Config, raw: bytes) -> int:
    connection = http.client.HTTPConnection(config.host, config.port, timeout=120)
    connection.request("POST", "/fhir", raw, {"Content-Type": "application/fhir+json"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def _floor(site: Site, types: Sequence[str]) -> str:
    found = {type_: list(site.stored[type_].find(limit=_SAMPLE)) for type_ in types}
    rows = {type_: floor.indexed(site.floor[type_]) for type_ in types}
    start = time.perf_counter()
    for type_, documents in found.items():
        if documents:
            rows[type_].insert_many(documents)
    rate = sum(map(len, found.values())) / (time.perf_counter() - start)
    return f"insert_many of the same documents, one thread {rate:,.0f}/s"
