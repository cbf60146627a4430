"""A mix of 24 searches in six families from 30 clients: what a search costs in CPU time."""

from collections.abc import Iterator
from random import Random

from benchmarks import http
from benchmarks.scale import region
from benchmarks.scale.shapes import escaped

CLIENTS = 30
VARIANTS = 100

# Family → what follows `_count=20&`; {code} is a LOINC code, {n} a patient, {year} one of ten.
FAMILIES = {
    "string": ("Patient?name=佐藤", "Patient?family=タ", "Patient?given:exact=花子", "Patient?name:contains=橋花"),
    "date": (
        "Observation?date={year}", "Observation?date=ne{year}", "Observation?date=gt{year}-06",
        "Observation?date=lt{year}-06-15", "Observation?date=ge{year}", "Observation?date=le{year}",
        "Observation?date=sa{year}", "Observation?date=eb{year}"),
    "token": (
        "Observation?code=http://loinc.org|{code}", "Observation?code={code},{code2},2345-7",
        "Condition?code=I10,E119", "Patient?gender=female"),
    "quantity": (
        "Observation?code={code}&value-quantity=gt50", "Observation?code={code}&value-quantity=lt50",
        "Observation?value-quantity=ge100||mg/dL"),
    "composite": (
        "Observation?code-value-quantity=http://loinc.org|{code}$gt50",
        "Observation?code-value-quantity=http://loinc.org|{code}$lt50"),
    "reference": (
        "Observation?subject=Patient/p{n}", "Encounter?patient=p{n}", "MedicationRequest?subject=Patient/p{n}"),
}


def lines(patients: int) -> Iterator[bytes]:
    """Returns requests of every family, the same at every run."""
    chance = Random("searches")
    codes = [kind[0] for kind in region.KINDS]
    for _ in range(VARIANTS):
        for query in (one for family in FAMILIES.values() for one in family):
            told = query.format(code=chance.choice(codes), code2=chance.choice(codes),
                                n=chance.randrange(patients), year=2017 + chance.randrange(9))
            yield http.line("GET", f"/fhir/{escaped(told)}&_count=20")
