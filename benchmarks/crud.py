"""create, read, update and delete of nine types that refer to each other: what a request costs in CPU time."""

from collections.abc import Iterator

from benchmarks import patients
from benchmarks.result import Result, at_least
from benchmarks.site import Site
from fhir_server.fhirjson import encode

_ABOUT = ("Patient/@Patient@", "Encounter/@Encounter@")


def run(site: Site) -> Iterator[Result]:
    lines = [b"%s\t%s" % (one["resourceType"].encode(), encode(one)) for one in _templates()]
    measured, used = site.load(lines, "crud.lua")
    yield Result("CRUD of nine linked types, by CPU of server and database",
                 measured.requests / (used.server + used.database), "/CPU-s", at_least(1000),
                 f"{measured.rate:,.0f}/s, {measured.latency}; {used.each(measured.requests)}", errors=measured.errors)


def _templates() -> Iterator[patients.Resource]:
    chance = patients.random(0)
    whom = patients.about(chance, *_ABOUT)
    yield patients.patient(chance)
    yield patients.encounter(chance, whom)
    for make, _ in patients.STATED.values():
        yield make(chance, whom)
