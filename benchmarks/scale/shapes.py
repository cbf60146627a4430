"""Thirty kinds of request, each from 64 clients: does it stay as fast while the region grows?"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from benchmarks import http
from benchmarks.scale import region
from benchmarks.scale.stage import Stage

CLIENTS = 64
# Different requests of one kind.
VARIANTS = 300

# One request: given chance and how many patients there are.
Make = Callable[[Random, int], str]


def _patient(chance: Random, patients: int) -> str:
    return f"Patient/p{chance.randrange(patients)}"


def _loinc(chance: Random) -> str:
    return f"http://loinc.org|{chance.choice(region.KINDS)[0]}"


def _shared(chance: Random, patients: int) -> int:
    return chance.randrange(max(1, patients // region.SHARED))


def _year(chance: Random) -> str:
    return f"20{chance.randrange(17, 26)}"


SHAPES: Mapping[str, Make] = {
    "capabilities": lambda c, n: "metadata",
    "read a Patient": lambda c, n: _patient(c, n),
    "any 10 Observations": lambda c, n: "Observation?_count=10",
    "Observations from 2020 on": lambda c, n: "Observation?date=ge2020&_count=20",
    "Observations of a month": lambda c, n: f"Observation?date={_year(c)}-{c.randrange(1, 13):02}&_count=20",
    "Observations of a patient": lambda c, n: f"Observation?patient={_patient(c, n)}&_count=20",
    "a patient and a code": lambda c, n: f"Observation?patient={_patient(c, n)}&code={_loinc(c)}",
    "a patient, newest first": lambda c, n: f"Observation?patient={_patient(c, n)}&_sort=-date&_count=20",
    "a code": lambda c, n: f"Observation?code={_loinc(c)}&_count=20",
    "a code and a year": lambda c, n: f"Observation?code={_loinc(c)}&date={_year(c)}&_count=20",
    "a value above": lambda c, n: "Observation?code=http://loinc.org|2345-7&value-quantity=gt130&_count=20",
    "a code with its value": lambda c, n: "Observation?code-value-quantity=http://loinc.org|2345-7$gt130&_count=20",
    "start of a name": lambda c, n: f"Patient?name={c.choice('佐鈴高田伊渡')}&_count=20",
    "start of a name in kana": lambda c, n: f"Patient?name={c.choice(('サト', 'スズ', 'タカ', 'ワタ'))}&_count=20",
    "exact family name": lambda c, n: f"Patient?family:exact={c.choice(('佐藤', '高橋', '田中'))}&_count=20",
    "part of a name": lambda c, n: f"Patient?name:contains={c.choice(('藤花', '橋太', '中一'))}&_count=20",
    "date of birth": lambda c, n: f"Patient?birthdate=19{c.randrange(40, 99)}-0{c.randrange(1, 10)}&_count=20",
    "sorted by kana": lambda c, n: "Patient?gender=female&_sort=family,birthdate&_count=20",
    "Conditions of a code": lambda c, n: f"Condition?code={c.choice(('I10', 'E119', 'J459'))}&_count=20",
    "Procedures of a code": lambda c, n: f"Procedure?code={c.choice(('D206', 'K634', 'D308'))}&_count=20",
    "Encounters of a patient": lambda c, n: f"Encounter?patient={_patient(c, n)}&_count=20",
    "Encounters of a practitioner": lambda c, n: f"Encounter?practitioner=Practitioner/d{_shared(c, n)}&_count=20",
    "Encounters at a location": lambda c, n: f"Encounter?location=Location/l{_shared(c, n)}&_count=20",
    "MedicationRequests of a patient": lambda c, n: f"MedicationRequest?patient={_patient(c, n)}&_count=20",
    "a patient's, with who it is": lambda c, n:
        f"Condition?patient={_patient(c, n)}&_include=Condition:patient&_count=20",
    "by the patient's name": lambda c, n: f"Condition?patient.name={c.choice('佐鈴高')}&code=E119&_count=20",
    "_content": lambda c, n: f"Condition?_content={c.choice(('糖尿', '喘息', '高血'))}&_count=20",
    "_text": lambda c, n: f"Procedure?_text={c.choice(('カテーテル', '虫垂', 'narrative'))}&_count=20",
    "address:text": lambda c, n: f"Patient?address:text={c.choice(('新宿', '千代田'))}&_count=20",
    "code:text": lambda c, n: f"Observation?code:text={c.choice(('glucose', 'sodium', 'albumin'))}&_count=20",
}
# How exact totals of keys that much of what is stored has grow is told apart.
TOTALS: Mapping[str, Make] = {
    "exact total of a code": lambda c, n: f"Observation?code={_loinc(c)}&_total=accurate&_count=10",
    "exact total of a combo-code": lambda c, n: f"Observation?combo-code={_loinc(c)}&_total=accurate&_count=10",
    "exact total of a gender": lambda c, n: f"Patient?gender={c.choice(('male', 'female'))}&_total=accurate&_count=10",
}


@dataclass(frozen=True)
class Timed:
    """One shape at one size: latencies in milliseconds, answers that were not 200."""

    shape: str
    load: http.Load


def run(stage: Stage, seconds: float) -> Iterator[Timed]:
    """Loads one shape after the other."""
    for name, make in {**SHAPES, **TOTALS}.items():
        chance = Random(name)
        lines = [http.line("GET", f"/fhir/{escaped(make(chance, stage.patients))}") for _ in range(VARIANTS)]
        http.load(stage.origin, lines, http.WARM_UP, clients=CLIENTS)
        yield Timed(name, http.load(stage.origin, lines, seconds, clients=CLIENTS))


def escaped(query: str) -> str:
    return quote(query, "/?=&:$,")
