"""RXE, pharmacy/treatment encoded order → MedicationRequest. HL7 v2.5 4.14.4; SS-MIX2 OMP-01; JP_MedicationRequest."""

import re
from decimal import Decimal

from adapters.hl7v2.datatypes import cwe, nm, ts, xcn
from adapters.hl7v2.datatypes.dose import DAY, Coded, coded, coded_within, coding, only, quantity
from adapters.hl7v2.datatypes.systems import JP, MHLW
from adapters.hl7v2.fields import Field, Scope, first
from adapters.hl7v2.parse import Repetition, Segment
from fhir_server.fhirjson import Resource

EXTENSION = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/"
CATEGORY = f"{JP}JP_MedicationCategoryMERIT9_CS"
SUBSTITUTION = f"{MHLW}CodeSystem/MedicationSubstitutionProhibittedCategory"
STRENGTH_TYPE = f"{MHLW}CodeSystem/MedicationIngredientStrengthStrengthType"

# Tables of what to do when dispensing; other codes in RXE-7 tell the patient.
DISPENSING = ("JHSP0001", "JHSP0002")
# Powders are ordered by the weight of the product in G, or of the active ingredient in one of these.
INGREDIENT_UNITS = ("MG", "MCG")
POWDER = "PWD"
AS_NEEDED = "22"
# RXE-22: `H1` is one hour.
PERIODS = {"S": ("秒", "s"), "M": ("分", "min"), "H": ("時間", "h"), "D": ("日", "d"), "W": ("週", "wk")}


def category(repetition: Repetition, scope: Scope) -> Resource | None:
    """RXE-21: the MERIT-9 names of kinds of prescriptions are a system of their own, not that of the units."""
    given = coded(repetition)
    if given.name != "MR9P":
        return cwe.codeable_concept(repetition, scope)
    return {"coding": [{**coding(given, scope), "system": CATEGORY}], "text": given.display or given.code}


def substitution(repetition: Repetition, scope: Scope) -> Resource | None:
    """RXE-37: 0 allowed, 1 no generic, 2 no other form, 3 no other strength, whatever the table is called."""
    found = cwe.codeable_concept(repetition, scope)
    if not found or repetition[1] not in ("0", "1", "2", "3"):
        return found
    return {**found, "coding": [{"system": SUBSTITUTION, "code": repetition[1]}, *found["coding"]]}


def count(repetition: Repetition, scope: Scope) -> int | None:
    """Reads a whole number that is not negative."""
    found = nm.count(repetition[1])
    if found is None:
        scope.note("This is no count.")
    return found


MEDICATION_REQUEST = (
    Field("RXE-2", "medicationCodeableConcept", cwe.codeable_concept, first),
    Field("RXE-9", "substitution.allowedCodeableConcept", cwe.table("0167")),
    Field("RXE-12", "dispenseRequest.numberOfRepeatsAllowed", count),
    Field("RXE-13", "requester", xcn.practitioner, xcn.persons),
    Field("RXE-21", "category[]", category),
    Field("RXE-32", "authoredOn", ts.date_time),
    Field("RXE-37", "substitution.allowedCodeableConcept", substitution),
)
# Read by the functions below: dose, dispensing, strength, further codes, prescription number.
READ = (3, 4, 5, 6, 7, 10, 11, 15, 19, 22, 23, 24, 25, 26, 27, 31)


def further_codings(rxe: Segment, scope: Scope) -> list[Resource]:
    """RXE-31: other codes of the same drug, such as YJ beside HOT."""
    here = scope.at(rxe, 31)
    return [one for repetition in rxe[31].repetitions for one in cwe.codings(repetition, here)]


def dispense_quantity(rxe: Segment, scope: Scope) -> Resource | None:
    return quantity(rxe[10].text, coded(only(rxe, 11)), scope.at(rxe, 10))


def dispensing_instructions(rxe: Segment, scope: Scope) -> list[Resource]:
    """RXE-7 of the dispensing tables, as extensions of dispenseRequest."""
    url = EXTENSION + "JP_MedicationRequest_DispenseRequest_InstructionForDispense"
    return [{"url": url, "valueCodeableConcept": found} for found in _instructions(rxe, scope, dispensing=True)]


def additional_instructions(rxe: Segment, scope: Scope) -> list[Resource]:
    """RXE-7 for the patient and RXE-27, as far as they are coded."""
    given = [cwe.codeable_concept(one, scope.at(rxe, 27)) for one in rxe[27].repetitions]
    return [one for one in (*_instructions(rxe, scope, dispensing=False), *filter(None, given)) if "coding" in one]


def patient_instruction(rxe: Segment, scope: Scope) -> str:
    """RXE-7 that is text alone."""
    return "　".join(one["text"] for one in _instructions(rxe, scope, dispensing=False) if "coding" not in one)


def as_needed(rxe: Segment) -> bool:
    return any(one[1] == AS_NEEDED for one in rxe[27].repetitions)


def dose(rxe: Segment, equal: bool, scope: Scope) -> Resource:
    """Returns doseAndRate and maxDosePerAdministration of a Dosage.

    `equal` is False where each dose of a day differs: then only the amount of the day is true.
    """
    unit = coded(only(rxe, 5))
    single = quantity(rxe[3].text, unit, scope.at(rxe, 3)) if equal and rxe[3].text.strip("0. ") else None
    rated: Resource = {"doseQuantity": single} if single else {}
    daily = per_day(rxe, scope)
    speed = _rate(rxe, scope)
    rated |= speed or ({"rateRatio": daily} if daily else {})
    found: Resource = {"doseAndRate": [{**_strength_type(rxe, unit), **rated}]} if rated else {}
    if daily and speed:
        found["maxDosePerPeriod"] = daily
    most = quantity(rxe[4].text, unit, scope.at(rxe, 4)) if rxe[4].text.strip("0. ") else None
    return {**found, "maxDosePerAdministration": most} if most and most != single else found


def per_day(rxe: Segment, scope: Scope) -> Resource | None:
    """RXE-19 as a Ratio: `3^TAB&錠&MR9P` is three tablets in one day."""
    given = only(rxe, 19)
    found = quantity(given[1], coded_within(given, 2), scope.at(rxe, 19))
    return {"numerator": found, "denominator": {"value": Decimal(1), **DAY}} if found else None


def strength(rxe: Segment) -> str:
    """RXE-25/26 as text: a MedicationRequest that only names its drug has no other place for it."""
    unit = coded(only(rxe, 26))
    return f"力価 {rxe[25].text} {unit.display or unit.code}".strip() if rxe[25].text else ""


def _instructions(rxe: Segment, scope: Scope, dispensing: bool) -> list[Resource]:
    chosen = [one for one in rxe[7].repetitions if (one[3] in DISPENSING) is dispensing]
    return [found for one in chosen if (found := cwe.codeable_concept(one, scope.at(rxe, 7)))]


def _strength_type(rxe: Segment, unit: Coded) -> Resource:
    """Japanese units only: 1 製剤量, the weight of the product; 2 原薬量, of its active ingredient."""
    if (unit.name or coded_within(only(rxe, 19), 2).name) != "MR9P":
        return {}
    ingredient = unit.code in INGREDIENT_UNITS and (bool(rxe[25].text) or rxe[6][1] == POWDER)
    code, display = ("2", "原薬量") if ingredient else ("1", "製剤量")
    return {"type": {"coding": [{"system": STRENGTH_TYPE, "code": code, "display": display}]}}


def _rate(rxe: Segment, scope: Scope) -> Resource:
    """RXE-23/24 per RXE-22: `125 mL/h`, or `102 mL` per `H1`."""
    speed = quantity(rxe[23].text, coded(only(rxe, 24)), scope.at(rxe, 23)) if rxe[23] else None
    if not speed:
        return {}
    period = re.fullmatch(r"([SMHDW])(\d+)", rxe[22].text)
    if not period or "/" in speed.get("unit", ""):
        return {"rateQuantity": speed}
    unit, code = PERIODS[period[1]]
    spent = {"value": Decimal(period[2]), "unit": unit, "system": DAY["system"], "code": code}
    return {"rateRatio": {"numerator": speed, "denominator": spent}}
