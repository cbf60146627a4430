"""Synthetic patients with what a hospital states about them, Synthea-like in number and size; the same at every run."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Any

Resource = dict[str, Any]

SEED = 20260401
FEWEST, MOST = 100, 2600
# Entries of a Bundle for each encounter in it.
STAY = 25

_JST = timezone(timedelta(hours=9))
_FIRST = datetime(2016, 4, 1, 8, 30, tzinfo=_JST)
_DAYS = 3650
_FAMILY = (("佐藤", "サトウ"), ("鈴木", "スズキ"), ("高橋", "タカハシ"), ("田中", "タナカ"), ("伊藤", "イトウ"), ("渡辺", "ワタナベ"))
_GIVEN = (("花子", "ハナコ"), ("太郎", "タロウ"), ("一郎", "イチロウ"), ("美咲", "ミサキ"), ("健", "ケン"), ("由美", "ユミ"))
_TOWNS = (("千代田区", "1000001"), ("中央区", "1030027"), ("港区", "1050011"), ("新宿区", "1600023"))
# code, display, unit, usual value, digits
_MEASURED = (
    ("718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 13.4, 1),
    ("2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 98.0, 0),
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", 5.9, 1),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.84, 2),
    ("8480-6", "Systolic blood pressure", "mm[Hg]", 128.0, 0),
    ("8867-4", "Heart rate", "/min", 72.0, 0),
    ("29463-7", "Body weight", "kg", 61.5, 1),
    ("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 4.2, 1),
)
_DISEASES = (("I10", "本態性高血圧症"), ("E119", "2型糖尿病"), ("J459", "気管支喘息"), ("M5456", "腰痛症"), ("K295", "慢性胃炎"))
_DRUGS = (("2171022F1029", "アムロジピン錠5mg"), ("3969007F1024", "メトホルミン錠250mg"), ("2325003F1020", "ファモチジン錠20mg"))
_PROCEDURES = (("D206", "心臓カテーテル検査"), ("K634", "腹腔鏡下虫垂切除術"), ("D308", "胃・十二指腸ファイバースコピー"))
_VACCINES = (("140", "Influenza, seasonal, injectable, preservative free"), ("133", "Pneumococcal conjugate PCV 13"))


@dataclass(frozen=True)
class About:
    """Whom and which stay a resource is about, as references, and when."""

    patient: str
    encounter: str
    when: datetime


Make = Callable[[Random, About], Resource]


def random(number: int) -> Random:
    """Returns the chance by which patient `number` is made."""
    return Random(f"{SEED}/{number}")


def about(chance: Random, patient: str, encounter: str) -> About:
    return About(patient, encounter, _FIRST + timedelta(days=chance.randrange(_DAYS), minutes=chance.randrange(480)))


def patient(chance: Random) -> Resource:
    """Returns a Patient of some 1.7 KB, named in kanji and kana."""
    (family, family_kana), (given, given_kana) = chance.choice(_FAMILY), chance.choice(_GIVEN)
    return {
        "resourceType": "Patient",
        "identifier": [
            _identifier("urn:oid:1.2.392.100495.20.3.51.11119999991", f"{chance.randrange(10**10):010}"),
            _identifier("urn:oid:1.2.392.100495.20.3.51.11119999992", f"{chance.randrange(10**10):010}"),
        ],
        "active": True,
        "name": [_name("IDE", family, given), _name("SYL", family_kana, given_kana)],
        "telecom": [
            {"system": "phone", "value": f"03-5555-{chance.randrange(10**4):04}", "use": "home"},
            {"system": "email", "value": f"kanja{chance.randrange(10**6):06}@example.jp", "use": "home"},
        ],
        "gender": chance.choice(("male", "female")),
        "birthDate": (date(1930, 1, 1) + timedelta(days=chance.randrange(33000))).isoformat(),
        "address": [_address(chance)],
        "maritalStatus": _concept("http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "M", "Married"),
        "contact": [{
            "relationship": [_concept("http://terminology.hl7.org/CodeSystem/v2-0131", "C", "Emergency Contact")],
            "name": {"text": f"{family} {chance.choice(_GIVEN)[0]}"},
            "telecom": [{"system": "phone", "value": f"090-5555-{chance.randrange(10**4):04}"}],
        }],
        "communication": [{"language": _concept("urn:ietf:bcp:47", "ja", "Japanese"), "preferred": True}],
        "managingOrganization": {"display": "架空総合病院"},
    }


def encounter(chance: Random, whom: About) -> Resource:
    end = whom.when + timedelta(minutes=chance.randrange(15, 240))
    return {
        "resourceType": "Encounter",
        "identifier": [_identifier("urn:oid:1.2.392.100495.20.3.61", f"{chance.randrange(10**12):012}")],
        "status": "finished",
        "class": _coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB", "ambulatory"),
        "type": [_concept("http://snomed.info/sct", "185345009", "Encounter for symptom")],
        "subject": {"reference": whom.patient},
        "participant": [{"individual": {"display": "架空 医師"}}],
        "period": {"start": whom.when.isoformat(), "end": end.isoformat()},
        "serviceProvider": {"display": "架空総合病院"},
    }


def condition(chance: Random, whom: About) -> Resource:
    code, display = chance.choice(_DISEASES)
    return {
        "resourceType": "Condition",
        "clinicalStatus": _concept("http://terminology.hl7.org/CodeSystem/condition-clinical", "active", "Active"),
        "verificationStatus": _concept(
            "http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed", "Confirmed"),
        "category": [_concept(
            "http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis", "Encounter Diagnosis")],
        "code": _concept("http://hl7.org/fhir/sid/icd-10", code, display),
        **_linked(whom),
        "onsetDateTime": whom.when.isoformat(),
        "recordedDate": whom.when.isoformat(),
    }


def observation(chance: Random, whom: About) -> Resource:
    code, display, unit, usual, digits = chance.choice(_MEASURED)
    value = round(usual * chance.uniform(0.8, 1.2), digits)
    return {
        "resourceType": "Observation",
        "identifier": [_identifier("urn:oid:1.2.392.100495.20.3.81", f"{chance.randrange(10**14):014}")],
        "status": "final",
        "category": [_concept(
            "http://terminology.hl7.org/CodeSystem/observation-category", "laboratory", "Laboratory")],
        "code": _concept("http://loinc.org", code, display),
        **_linked(whom),
        "effectiveDateTime": whom.when.isoformat(),
        "issued": whom.when.isoformat(),
        "performer": [{"display": "架空総合病院 検査部"}],
        "valueQuantity": _quantity(value, unit),
        "interpretation": [_concept(
            "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation", "N", "Normal")],
        "referenceRange": [{
            "low": _quantity(round(usual * 0.8, digits), unit), "high": _quantity(round(usual * 1.2, digits), unit)}],
    }


def report(chance: Random, whom: About) -> Resource:
    return {
        "resourceType": "DiagnosticReport",
        "identifier": [_identifier("urn:oid:1.2.392.100495.20.3.82", f"{chance.randrange(10**14):014}")],
        "status": "final",
        "category": [_concept("http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", "Laboratory")],
        "code": _concept("http://loinc.org", "24323-8", "Comprehensive metabolic panel"),
        **_linked(whom),
        "effectiveDateTime": whom.when.isoformat(),
        "issued": whom.when.isoformat(),
        "conclusion": "特記すべき所見なし。次回の受診時に再検査。",
    }


def medication_request(chance: Random, whom: About) -> Resource:
    code, display = chance.choice(_DRUGS)
    return {
        "resourceType": "MedicationRequest",
        "identifier": [_identifier("urn:oid:1.2.392.100495.20.3.11", f"{chance.randrange(10**12):012}")],
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": _concept("urn:oid:1.2.392.100495.20.2.74", code, display),
        **_linked(whom),
        "authoredOn": whom.when.isoformat(),
        "requester": {"display": "架空 医師"},
        "dosageInstruction": [{
            "text": "1日1回朝食後 1回1錠",
            "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
            "doseAndRate": [{"doseQuantity": _quantity(1, "{tbl}")}],
        }],
        "dispenseRequest": {"quantity": _quantity(28, "{tbl}")},
    }


def procedure(chance: Random, whom: About) -> Resource:
    code, display = chance.choice(_PROCEDURES)
    return {
        "resourceType": "Procedure",
        "status": "completed",
        "code": _concept("urn:oid:1.2.392.100495.20.2.61", code, display),
        **_linked(whom),
        "performedDateTime": whom.when.isoformat(),
    }


def immunization(chance: Random, whom: About) -> Resource:
    code, display = chance.choice(_VACCINES)
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "vaccineCode": _concept("http://hl7.org/fhir/sid/cvx", code, display),
        "patient": {"reference": whom.patient},
        "encounter": {"reference": whom.encounter},
        "occurrenceDateTime": whom.when.isoformat(),
        "primarySource": True,
    }


def care_plan(chance: Random, whom: About) -> Resource:
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "title": "地域連携パス",
        "category": [_concept("http://snomed.info/sct", "736054000", "Pain management care plan")],
        **_linked(whom),
        "period": {"start": whom.when.date().isoformat()},
        "activity": [{"detail": {"status": "in-progress", "description": "運動療法 週3回"}}],
    }


# What is stated in a stay, and how often of a hundred.
STATED: Mapping[str, tuple[Make, int]] = {
    "Condition": (condition, 8),
    "Observation": (observation, 56),
    "DiagnosticReport": (report, 10),
    "MedicationRequest": (medication_request, 10),
    "Procedure": (procedure, 8),
    "Immunization": (immunization, 4),
    "CarePlan": (care_plan, 4),
}


def sizes(count: int) -> list[int]:
    """Returns how many entries each of `count` Bundles has: from 100 to 2,600, small ones more often."""
    return [round(FEWEST * (MOST / FEWEST) ** (i / max(1, count - 1))) for i in range(count)]


def bundle(number: int, entries: int) -> Resource:
    """Returns a transaction that creates patient `number` with `entries` - 1 resources around it."""
    chance = random(number)
    who, stay = _urn(chance), _urn(chance)
    made = [_entry(who, patient(chance))]
    while len(made) < entries:
        if len(made) % STAY == 1:
            stay = _urn(chance)
            whom = about(chance, who, stay)
            made.append(_entry(stay, encounter(chance, whom)))
        else:
            [(make, _)] = chance.choices(list(STATED.values()), [often for _, often in STATED.values()])
            made.append(_entry(_urn(chance), make(chance, about(chance, who, stay))))
    return {"resourceType": "Bundle", "type": "transaction", "entry": made}


def _entry(url: str, resource: Resource) -> Resource:
    return {"fullUrl": url, "resource": resource, "request": {"method": "POST", "url": resource["resourceType"]}}


def _urn(chance: Random) -> str:
    return f"urn:uuid:{uuid.UUID(int=chance.getrandbits(128), version=4)}"


def _linked(whom: About) -> Resource:
    return {"subject": {"reference": whom.patient}, "encounter": {"reference": whom.encounter}}


def _identifier(system: str, value: str) -> Resource:
    return {"system": system, "value": value}


def _coding(system: str, code: str, display: str) -> Resource:
    return {"system": system, "code": code, "display": display}


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [_coding(system, code, display)], "text": display}


def _quantity(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def _name(representation: str, family: str, given: str) -> Resource:
    url = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"
    extension = [{"url": url, "valueCode": representation}]
    return {"extension": extension, "use": "official", "text": f"{family} {given}", "family": family, "given": [given]}


def _address(chance: Random) -> Resource:
    town, post_code = chance.choice(_TOWNS)
    line = f"架空{chance.randrange(1, 9)}丁目{chance.randrange(1, 30)}番"
    return {"use": "home", "text": f"東京都{town}{line}", "line": [line], "city": town, "state": "東京都",
            "postalCode": post_code, "country": "JP"}
