"""create: Observations of stored patients, validated, indexed and journaled by a majority."""

from collections.abc import Iterator

from benchmarks import floor, http, patients
from benchmarks.result import Result, at_least
from benchmarks.site import Site
from fhir_server.fhirjson import encode

_BODIES = 2000
_INSERTS = 3000


def run(site: Site) -> Iterator[Result]:
    stored = site.scale.stored[1]
    site.seed(stored)
    lines = [http.line("POST", "/fhir/Observation", encode(_observation(n, site.patients))) for n in range(_BODIES)]
    measured, used = site.load(lines)
    yield Result(f"create an Observation into {stored:,}, 16 clients", measured.rate, "/s", at_least(1500),
                 f"{measured.latency}; {used.each(measured.requests)}", _floor(site), measured.errors)


def _observation(number: int, known: int) -> patients.Resource:
    chance = patients.random(-1 - number)
    whom = patients.about(chance, f"Patient/p{number % known}", f"Encounter/p{number % known}")
    return patients.observation(chance, whom)


def _floor(site: Site) -> str:
    found = site.stored["Observation"].find(limit=_INSERTS)
    rows = floor.indexed(site.floor["Observation"])
    inserted = floor.rate(rows.insert_one, list(found), 16)
    return f"insert of the same documents, 16 threads {inserted:,.0f}/s"
