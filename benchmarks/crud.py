"""create, read, update and delete of nine types that refer to each other: what a request costs in CPU time."""

from collections.abc import Iterator

from benchmarks import http, patients, processes
from benchmarks.result import Result, at_least, latency
from benchmarks.site import Site
from fhir_server.fhirjson import encode

_ABOUT = ("Patient/@Patient@", "Encounter/@Encounter@")


def run(site: Site) -> Iterator[Result]:
    lines = [b"%s\t%s" % (one["resourceType"].encode(), encode(one)) for one in _templates()]
    http.load(site.server.origin, lines, http.WARM_UP, "crud.lua", warm=False)
    measuring = site.server.processes()
    before = processes.cpu_seconds(measuring)
    measured = http.load(site.server.origin, lines, site.scale.seconds, "crud.lua", warm=False)
    used = processes.cpu_seconds(measuring) - before
    yield Result("CRUD of nine linked types, by CPU of server and database", measured.requests / used, "/CPU-s",
                 at_least(1000), f"{measured.rate:,.0f}/s, {latency(measured.p50, measured.p99)}",
                 errors=measured.errors)


def _templates() -> Iterator[patients.Resource]:
    chance = patients.random(0)
    whom = patients.about(chance, *_ABOUT)
    yield patients.patient(chance)
    yield patients.encounter(chance, whom)
    for make, _ in patients.STATED.values():
        yield make(chance, whom)
