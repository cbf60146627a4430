"""A region of synthetic patients, each of 100 resources: 60 Observations of 40 kinds, 10 Encounters, 30 others.

Patient `number` is the same at every run, whatever else there is. Organisations, practitioners and locations are
shared: one practitioner and one location for each 50 patients.
"""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from benchmarks import patients
from benchmarks.patients import About, Resource
from fhir_server.fhirjson import decode, encode

EACH = 100
# So many patients share what surrounds them.
SHARED = 50
ENCOUNTERS, OBSERVATIONS = 10, 60
UCUM = "http://unitsofmeasure.org"

# LOINC code, what it is called, unit, usual value
KINDS = tuple((code, name, unit, float(usual)) for code, name, unit, usual in (line.split("|") for line in """\
718-7|Hemoglobin|g/dL|13.4
2345-7|Glucose|mg/dL|98
4548-4|Hemoglobin A1c|%|5.9
2160-0|Creatinine|mg/dL|0.84
8480-6|Systolic blood pressure|mm[Hg]|128
8462-4|Diastolic blood pressure|mm[Hg]|78
8867-4|Heart rate|/min|72
29463-7|Body weight|kg|61.5
8302-2|Body height|cm|162
39156-5|Body mass index|kg/m2|23.1
2823-3|Potassium|mmol/L|4.2
2951-2|Sodium|mmol/L|140
2075-0|Chloride|mmol/L|103
3094-0|Urea nitrogen|mg/dL|15
1742-6|Alanine aminotransferase|U/L|24
1920-8|Aspartate aminotransferase|U/L|22
2324-2|Gamma glutamyl transferase|U/L|28
6768-6|Alkaline phosphatase|U/L|70
1975-2|Bilirubin total|mg/dL|0.8
2885-2|Protein total|g/dL|7.1
1751-7|Albumin|g/dL|4.3
2093-3|Cholesterol|mg/dL|198
2085-9|Cholesterol in HDL|mg/dL|58
13457-7|Cholesterol in LDL|mg/dL|116
2571-8|Triglyceride|mg/dL|120
6690-2|Leukocytes|10*3/uL|6.1
789-8|Erythrocytes|10*6/uL|4.5
777-3|Platelets|10*3/uL|230
4544-3|Hematocrit|%|40.5
787-2|Mean corpuscular volume|fL|91
1988-5|C reactive protein|mg/L|1.2
3016-3|Thyrotropin|m[IU]/L|1.9
14749-6|Glucose molar|mmol/L|5.4
17861-6|Calcium|mg/dL|9.3
2777-1|Phosphate|mg/dL|3.4
3084-1|Urate|mg/dL|5.2
8310-5|Body temperature|Cel|36.5
9279-1|Respiratory rate|/min|16
2708-6|Oxygen saturation|%|97
2532-0|Lactate dehydrogenase|U/L|180""".splitlines()))

# What surrounds a patient and his stays; with the Patient they are 30.
OTHERS = (
    *(patients.condition,) * 7, *(patients.medication_request,) * 8, *(patients.report,) * 5,
    *(patients.procedure,) * 5, *(patients.immunization,) * 3, *(patients.care_plan,) * 1,
)


def resources(number: int) -> list[Resource]:
    """Returns the 100 resources of patient `number`, with ids, as a client would send them."""
    chance, who = Random(f"{patients.SEED}/region/{number}"), f"p{number}"
    stays = [patients.about(chance, f"Patient/{who}", f"Encounter/{who}-e{i}") for i in range(ENCOUNTERS)]
    made = [
        _named(patients.patient(chance), who),
        *(_named(_encounter(chance, stay, number), f"{who}-e{i}") for i, stay in enumerate(stays)),
        *(_named(_observation(chance, chance.choice(stays)), f"{who}-o{i}") for i in range(OBSERVATIONS)),
        *(_told(make(chance, chance.choice(stays)), f"{who}-x{i}") for i, make in enumerate(OTHERS)),
    ]
    return [decode(encode(one)) for one in made]


def shared(number: int) -> Iterator[Resource]:
    """Returns what patients `number` × 50 up to the next 50 share."""
    yield {"resourceType": "Practitioner", "id": f"d{number}", "name": [{"text": f"架空 医師{number}"}]}
    yield {"resourceType": "Location", "id": f"l{number}", "name": f"外来{number}"}


def _named(resource: Resource, id_: str) -> Resource:
    return {**resource, "id": id_}


def _told(resource: Resource, id_: str) -> Resource:
    """With a narrative."""
    words = resource.get("code", {}).get("text") or resource["resourceType"]
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">{words} narrative</div>'
    return {**resource, "id": id_, "text": {"status": "generated", "div": div}}


def _encounter(chance: Random, stay: About, number: int) -> Resource:
    near = number // SHARED
    return {
        **patients.encounter(chance, stay),
        "participant": [{"individual": {"reference": f"Practitioner/d{near}"}}],
        "location": [{"location": {"reference": f"Location/l{near}"}}],
    }


def _observation(chance: Random, stay: About) -> Resource:
    code, name, unit, usual = chance.choice(KINDS)
    when = replace(stay, when=stay.when.replace(second=chance.randrange(60)))
    value = {"value": round(usual * chance.uniform(0.7, 1.4), 2), "unit": unit, "system": UCUM, "code": unit}
    coding = {"system": "http://loinc.org", "code": code, "display": name}
    return {**patients.observation(chance, when), "code": {"coding": [coding], "text": name}, "valueQuantity": value}
