"""search: the 20 newest Observations of a patient, while ever more of others are stored."""

from collections.abc import Iterator

from benchmarks import http
from benchmarks.result import Result, at_least, at_most
from benchmarks.site import Site


def run(site: Site) -> Iterator[Result]:
    rates = []
    for stored in site.scale.stored:
        site.seed(stored)
        measured, used = site.load(_searches(site))
        rates.append(measured.rate)
        yield Result(f"search a patient's 20 newest of {stored:,}", measured.rate, "/s", at_least(2000),
                     f"{measured.latency}; {used.each(measured.requests)}", errors=measured.errors)
    yield Result("search, fastest to slowest of these", max(rates) / min(rates), "×", at_most(1.5))
    yield _keys(site)


def _searches(site: Site) -> list[bytes]:
    path = "/fhir/Observation?patient=p{}&_sort=-date&_count=20"
    return [http.line("GET", path.format(number)) for number in range(site.patients)]


def _keys(site: Site) -> Result:
    """What makes a search fast is paid for here."""
    rows = site.stored["Observation"]
    [found] = rows.aggregate([{"$sample": {"size": 1000}}, {"$group": {"_id": 0, "n": {"$avg": {"$size": "$ix"}}}}])
    [stats] = rows.aggregate([{"$collStats": {"storageStats": {}}}])
    size = stats["storageStats"]["totalIndexSize"] / max(1, stats["storageStats"]["count"])
    return Result("index keys of an Observation", found["n"], "keys", at_most(16), f"{size:,.0f} bytes of index")
