"""TQ1, timing/quantity → timing of a Dosage. HL7 v2.5 4.5.4; JAMI 標準用法マスタ; JP_MedicationDosage.

TQ1-3 begins with the usage, a code of 16 digits in Japan; its repetitions are codes of 8 that say more: `I1100000`
every other day, `V14NNNNN` four units in the first dose of the day.
"""

from decimal import Decimal

from adapters.hl7v2.datatypes import cwe, nm, ts
from adapters.hl7v2.datatypes.dose import DAY, coded_within, concept, only
from adapters.hl7v2.datatypes.nm import number
from adapters.hl7v2.fields import Field, Scope, coded, text
from adapters.hl7v2.parse import Segment
from adapters.hl7v2.segments.rxr import METHOD
from adapters.hl7v2.segments.rxe import EXTENSION
from fhir_server.fhirjson import Resource

DAYS = ("D", "DAY", "DAYS", "日")
AS_NEEDED_CLASS = "5"
# First letters of codes of 8 digits: doses that differ; days that are left out.
UNEQUAL = "V"
NOT_EVERY_DAY = ("I", "W", "D", "C")

DOSAGE = (Field("TQ1-11", "patientInstruction", text), Field("TQ1-10", "additionalInstruction[]", cwe.codeable_concept))
MEDICATION_REQUEST = (Field("TQ1-9", "priority", coded("request-priority")),)
# Read by the functions below: quantity, usage, duration, start and end, number of doses.
READ = (2, 3, 6, 7, 8, 14)


def usage(tq1: Segment, scope: Scope) -> Resource | None:
    """Returns how the medicine is taken, as a CodeableConcept."""
    return concept(coded_within(only(tq1, 3), 1), scope.at(tq1, 3))


def supplements(tq1: Segment, scope: Scope) -> list[Resource]:
    """Returns what the further codes of TQ1-3 say."""
    given = (coded_within(one, 1) for one in tq1[3].repetitions[1:])
    return [found for one in given if (found := concept(one, scope.at(tq1, 3)))]


def method(tq1: Segment) -> Resource | None:
    """The first two digits of the usage: `10` by mouth."""
    code = _usage_code(tq1)[:2].strip()
    return {"coding": [{"system": METHOD, "code": code}]} if code and code != "99" else None


def as_needed(tq1: Segment) -> bool:
    """The third digit of the usage: 5 頓用."""
    return _usage_code(tq1)[2:3] == AS_NEEDED_CLASS


def equal_doses(tq1: Segment) -> bool:
    return not any(code.startswith(UNEQUAL) for code in _supplement_codes(tq1))


def days(tq1: Segment) -> Resource | None:
    """TQ1-6 in days, as the Duration that JP Core wants; None in other units."""
    given = only(tq1, 6)
    amount = number(given[1])
    return {"value": amount, **DAY} if amount is not None and given[2].upper() in DAYS else None


def timing(tq1: Segment, scope: Scope) -> Resource | None:
    """Returns the Timing: usage, and how long where the medicine is taken every day."""
    code, bounds = usage(tq1, scope), _every_day(tq1)
    repeat: Resource = {"repeat": {"boundsDuration": bounds}} if bounds else {}
    return {**repeat, **({"code": code} if code else {})} or None


def extensions(tq1: Segment, scope: Scope) -> list[Resource]:
    """Returns when the medicine is used and for how many days."""
    period = ts.period(tq1[7].text, tq1[8].text, scope.at(tq1, 7))
    lasts = _every_day(tq1)
    found = (("PeriodOfUse", "valuePeriod", period), ("UsageDuration", "valueDuration", lasts))
    return [{"url": f"{EXTENSION}JP_MedicationDosage_{name}", kind: value} for name, kind, value in found if value]


def doses(tq1: Segment) -> int | None:
    """The number of doses handed out: TQ1-14, or a TQ1-2 without a unit (頓用, 外用)."""
    given = tq1[14].text or ("" if only(tq1, 2)[2] else tq1[2].text)
    return nm.count(given) or None


def sentence(tq1: Segment, rxe_dose: Resource, scope: Scope) -> str:
    """Returns the whole in one line: `内服・経口・１日３回朝昼夕食後　１回１錠　７日分`."""
    parts = [_shown(usage(tq1, scope)), *map(_shown, supplements(tq1, scope)), _single(rxe_dose), _lasting(tq1)]
    return "　".join(part for part in parts if part)


def _usage_code(tq1: Segment) -> str:
    given = coded_within(only(tq1, 3), 1)
    return given.code if given.name == "JAMISDP01" and len(given.code) == 16 else ""


def _supplement_codes(tq1: Segment) -> list[str]:
    return [coded_within(one, 1).code for one in tq1[3].repetitions[1:]]


def _every_day(tq1: Segment) -> Resource | None:
    """Days of supply are days of use only if no day is left out."""
    return None if any(code.startswith(NOT_EVERY_DAY) for code in _supplement_codes(tq1)) else days(tq1)


def _shown(found: Resource | None) -> str:
    return str(found.get("text") or found["coding"][0]["code"]) if found else ""


def _single(rxe_dose: Resource) -> str:
    for one in rxe_dose.get("doseAndRate", ()):
        if "doseQuantity" in one:
            return f"１回{_wide(one['doseQuantity']['value'])}{one['doseQuantity'].get('unit', '')}"
        if "numerator" in one.get("rateRatio", {}):
            amount = one["rateRatio"]["numerator"]
            return f"１日{_wide(amount['value'])}{amount.get('unit', '')}"
    return ""


def _lasting(tq1: Segment) -> str:
    found = days(tq1)
    return f"{_wide(found['value'])}日分" if found else ""


def _wide(value: Decimal) -> str:
    return "".join(chr(ord(one) + 0xFEE0) for one in str(value))
