"""read: random patients of some 1.7 KB."""

from collections.abc import Iterator
from random import Random

from benchmarks import floor, http
from benchmarks.result import Result, at_least, at_most
from benchmarks.site import Site

_FINDS = 4000


def run(site: Site) -> Iterator[Result]:
    site.seed(site.scale.stored[0])
    ids = [f"p{number}" for number in range(site.patients)]
    measured, used = site.load([http.line("GET", f"/fhir/Patient/{one}") for one in ids])
    told = f"{measured.latency}; {used.each(measured.requests)}"
    yield Result("read a Patient, 16 clients", measured.rate, "/s", at_least(2500), told, _floors(site, ids),
                 measured.errors)
    yield Result("read a Patient, 99 of 100 within", measured.p99, "ms", at_most(25))


def _floors(site: Site, ids: list[str]) -> str:
    with floor.empty_answers(site.server.config, site.folder / "floor.log") as origin:
        empty = http.load(origin, [http.line("GET", "/")], 2)
    chosen = Random(1).choices(ids, k=_FINDS)
    one, many = (floor.rate(lambda id_: site.stored["Patient"].find_one({"_id": id_}), chosen, n) for n in (1, 16))
    return f"empty answer {empty.rate:,.0f}/s; find by id {one:,.0f}/s, 16 threads {many:,.0f}/s"
