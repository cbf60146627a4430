"""create, read, update and delete of nine types that refer to each other: what a request costs in CPU time."""

from collections.abc import Iterator

from benchmarks import http, linked
from benchmarks.result import Result, at_least
from benchmarks.site import Site
from fhir_server.fhirjson import encode


def run(site: Site) -> Iterator[Result]:
    for clients in (http.CLIENTS, 300):
        yield mix(site, clients)


def mix(site: Site, clients: int) -> Result:
    """Returns what the mix came to from so many clients."""
    lines = [b"%s\t%s" % (one["resourceType"].encode(), encode(one)) for one in linked.resources()]
    measured, used = site.load(lines, "crud.lua", clients)
    return Result(f"CRUD of nine linked types, {clients} clients, by CPU of server and database",
                  measured.requests / (used.server + used.database), "/CPU-s", at_least(1000),
                  f"{measured.rate:,.0f}/s, {measured.latency}; {used.each(measured.requests)}", errors=measured.errors)
