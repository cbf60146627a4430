"""OBX → Observation. HL7 v2.5 7.4.2; JP Core JP_Observation_LabResult and JP_Observation_BodyMeasurement."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from adapters.hl7v2.datatypes import cwe, ei, nm, sn, ts, xcn, xon
from adapters.hl7v2.datatypes.systems import JP, MEDIS
from adapters.hl7v2.fields import Field, Scope, coded, elements, first, leftover, numbers
from adapters.hl7v2.parse import Repetition, Segment
from fhir_server.fhirjson import Resource
from terminology.service import translate

ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
JLAC10 = f"{MEDIS}master-JLAC10-17digits"
CATEGORY = f"{JP}JP_SimpleObservationCategory_CS"
MEASUREMENT_CATEGORY = "body-measurement"
LABORATORY = "laboratory"

Value = Callable[[Repetition, Resource, Scope], Resource]


def number(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    """NM: a Quantity; what is no number stays text, its unit beside it."""
    found = nm.compared(repetition[1])
    if found:
        return {"valueQuantity": {**found, **unit}}
    scope.note("This is no number.")
    return _text(repetition, unit)


def string(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    """ST: a Quantity where it is a number with a unit (`<0.05`, `13.1`), else the text."""
    found = nm.compared(repetition.text) if unit else None
    return {"valueQuantity": {**found, **unit}} if found else _text(repetition, unit)


def narrative(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    """TX, FT: the text as it stands."""
    return {"valueString": repetition.text} if repetition.text.strip() else {}


def structured(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    return sn.value(repetition, unit, scope)


def concept(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    found = cwe.codeable_concept(repetition, scope)
    return {"valueCodeableConcept": found} if found else {}


def date_time(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    found = ts.date_time(repetition, scope)
    return {"valueDateTime": found} if found else {}


def time(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    found = ts.time(repetition, scope)
    return {"valueTime": found} if found else {}


def period(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    found = ts.period(repetition[1], repetition[2], scope)
    return {"valuePeriod": found} if found else {}


def limits(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    """NR: a Range."""
    sides = {"low": nm.number(repetition[1]), "high": nm.number(repetition[2])}
    found = {name: {"value": value, **unit} for name, value in sides.items() if value is not None}
    return {"valueRange": found} if found else _text(repetition, unit)


# Type in OBX-2 → value[x]; another type stays text, with a note.
VALUES: dict[str, Value] = {
    "NM": number,
    "SN": structured,
    "ST": string,
    "TX": narrative,
    "FT": narrative,
    "CE": concept,
    "CWE": concept,
    "CNE": concept,
    "CF": concept,
    "IS": concept,
    "ID": concept,
    "TS": date_time,
    "DTM": date_time,
    "DT": date_time,
    "TM": time,
    "DR": period,
    "NR": limits,
}
ATTACHMENTS = frozenset(("ED", "RP"))


def interpretation(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads OBX-8; a flag of the laboratory's own stays as text."""
    if not repetition[1]:
        return None
    target = translate("interpretation", repetition[1])
    return {"coding": [target._asdict()]} if target else {"text": repetition[2] or repetition[1]}


def producer(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads OBX-15: the laboratory, as a name."""
    display = repetition[2] or repetition[1]
    return {"type": "Organization", "display": display} if display else None


def device(repetition: Repetition, scope: Scope) -> Resource | None:
    found = ei.numbered("device")(repetition, scope)
    return {"type": "Device", "identifier": found} if found else None


OBSERVATION = (
    Field("OBX-21", "identifier[]", ei.filler),
    Field("OBX-11", "status", coded("observation-status")),
    Field("OBX-3", "code", cwe.codeable_concept),
    Field("OBX-14", "effectiveDateTime", ts.date_time),
    Field("OBX-19", "issued", ts.instant),
    Field("OBX-15", "performer[]", producer),
    Field("OBX-16", "performer[]", xcn.practitioner, xcn.persons),
    Field("OBX-23", "performer[]", xon.organization),
    Field("OBX-25", "performer[]", xcn.practitioner, xcn.persons),
    Field("OBX-8", "interpretation[]", interpretation),
    Field("OBX-17", "method", cwe.codeable_concept),
    Field("OBX-18", "device", device),
    Field("OBX-20", "bodySite", cwe.codeable_concept),
)
UNIT = (Field("OBX-6", "unit", nm.unit, first),)
# 1 counts; 2, 5 and 7 are read below; 4 is part of the identity.
OBSERVATION_KNOWN = numbers(OBSERVATION, UNIT, 1, 2, 4, 5, 7)


def observation(segment: Segment, scope: Scope) -> Resource:
    """Returns what OBX says of an Observation: without id, category and references, which the message decides."""
    found = elements(segment, OBSERVATION, scope)
    leftover(segment, OBSERVATION_KNOWN, scope)
    unit = elements(segment, UNIT, scope).get("unit", {})
    status = found.get("status", "unknown")
    return {
        **found,
        "status": status,
        "code": _code(found.get("code")),
        **(value(segment, unit, scope) or _absent(status)),
        **_range(segment, unit),
    }


def value(segment: Segment, unit: Resource, scope: Scope) -> Resource:
    """Returns value[x]; lines of text joined; several values of one kind as components; empty for none."""
    here = scope.at(segment, 5)
    type = segment[2].text
    if segment[5] and type not in VALUES:
        here.note("The type of this value is not known; it is kept as text.")
    read = VALUES.get(type, narrative)
    found = [one for repetition in segment[5].repetitions if (one := read(repetition, unit, here))]
    if len(found) < 2:
        return found[0] if found else {}
    if all("valueString" in one for one in found):
        return {"valueString": "\n".join(one["valueString"] for one in found)}
    named = segment[3].repetitions
    code = _code(cwe.codeable_concept(named[0], here) if named else None)
    return {"component": [{"code": code, **one} for one in found]}


def is_jlac10(stated: Resource) -> bool:
    """Whether the code is one of Japanese laboratories."""
    return any(one.get("system") == JLAC10 for one in stated["code"].get("coding", ()))


def category(code: str) -> Resource:
    """Returns the category of JP Core: `laboratory`, `body-measurement`."""
    return {"coding": [{"system": CATEGORY, "code": code}]}


def measured(stated: Resource) -> Resource | None:
    """Returns the code of a body measurement as JP Core has it first, None for what is none."""
    for one in stated["code"].get("coding", ()):
        analyte = one["code"][:5] if one.get("system") == JLAC10 else one["code"]
        target = translate("body-measurement", analyte)
        if target:
            return {**stated["code"], "coding": [target._asdict(), *stated["code"]["coding"]]}
    return None


def _code(stated: Resource | None) -> Resource:
    """JP Core wants a text, FHIR wants a code."""
    if not stated:
        return {"text": "不明"}
    return stated if "text" in stated else {**stated, "text": stated["coding"][0]["code"]}


def _text(repetition: Repetition, unit: Resource) -> Resource:
    text = repetition.text.strip()
    return {"valueString": " ".join(filter(None, (text, unit.get("unit"))))} if text else {}


REASONS = {"cancelled": "not-performed", "registered": "temp-unknown", "preliminary": "temp-unknown"}


def _absent(status: str) -> Resource:
    code = REASONS.get(status, "unknown")
    return {"dataAbsentReason": {"coding": [{"system": ABSENT, "code": code}]}}


_BETWEEN = re.compile(r"([-+]?[\d.]+)\s*[-~]\s*([-+]?[\d.]+)")
_BELOW = re.compile(r"(?:<=?|≦)\s*([-+]?[\d.]+)|([-+]?[\d.]+)\s*(?:>|以下|未満)")
_ABOVE = re.compile(r"(?:>=?|≧)\s*([-+]?[\d.]+)|([-+]?[\d.]+)\s*(?:<|以上)")


def _range(segment: Segment, unit: Resource) -> Resource:
    """OBX-7 as it was written, and as numbers where it is some: `0.46-0.79`, `<0.3`, `130>`, `100以上`."""
    text = segment[7].text.strip() if segment[7] and not segment[7].null else ""
    if not text:
        return {}
    plain = unicodedata.normalize("NFKC", text)
    sides = {name: {"value": side, **unit} for name, side in _limits(plain).items() if side is not None}
    return {"referenceRange": [{**sides, "text": text}]}


def _limits(plain: str) -> dict[str, Any]:
    if between := _BETWEEN.fullmatch(plain):
        return {"low": nm.number(between[1]), "high": nm.number(between[2])}
    if below := _BELOW.fullmatch(plain):
        return {"high": nm.number(below[1] or below[2])}
    above = _ABOVE.fullmatch(plain)
    return {"low": nm.number(above[1] or above[2])} if above else {}


def key(segment: Segment, stated: Resource) -> Sequence[str]:
    """Returns what tells a result from the others of its order: test, sub-id, and the time of observation if stated."""
    return cwe.key(stated["code"]), segment[4].text.strip(), str(stated.get("effectiveDateTime", ""))[:16]


# How far a result has come. What is behind is no news; a later word on the same stage is.
STAGES = {"registered": 0, "unknown": 0, "preliminary": 1, "partial": 1}
CORRECTED = frozenset(("corrected", "amended", "appended"))


def merge_observation(earlier: Resource, later: Resource) -> Resource:
    """Returns what stands of a result that two messages state: its status never goes back."""
    if stage(later) < stage(earlier):
        return earlier
    return {**later, "status": kept_status(earlier, later)}


def stage(result: Resource) -> int:
    return STAGES.get(result["status"], 2)


def kept_status(earlier: Resource, later: Resource) -> str:
    """A result once corrected stays a corrected one when it is sent again as final."""
    corrected = earlier["status"] in CORRECTED and later["status"] == "final"
    return str(earlier["status"] if corrected else later["status"])
