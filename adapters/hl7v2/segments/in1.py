"""IN1 → Coverage. HL7 v2.5 6.5.6; JP Core JP_Coverage; SS-MIX2: one IN1 for an insurance or a public subsidy (公費)."""

from collections.abc import Sequence

from adapters.hl7v2 import parse
from adapters.hl7v2.datatypes import cwe, hd, ts, xon
from adapters.hl7v2.datatypes.systems import MHLW
from adapters.hl7v2.fields import Field, Scope, elements, leftover, numbers
from adapters.hl7v2.parse import Repetition, Segment
from adapters.identity import reference, resource_id
from fhir_server.fhirjson import Resource
from terminology.service import translate

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Coverage"
EXTENSION = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Coverage_InsuredPerson"
MEMBER = "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID"
INSURER = f"{MHLW}IdSystem/InsurerNumber"
PUBLIC_PAYER = f"{MHLW}IdSystem/PublicPayerNumber"

JAPANESE = "JHSD0001"
SUBSIDY = "8"


def relationship(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads table 0063 as insured person or dependant, and as FHIR's subscriber relationship."""
    targets = [translate(name, repetition[1]) for name in ("subscriber-relationship", "insured-person")]
    known = [dict(one._asdict()) for one in targets if one]
    found = cwe.table("0063")(repetition, scope)
    codings = [*known, *(found or {}).get("coding", ())]
    return {**found, "coding": codings} if found and codings else found


COVERAGE = (
    Field("IN1-2", "type", cwe.concept("insurance-kind")),
    Field("IN1-17", "relationship", relationship),
    Field("IN1-12", "period.start", ts.date_time),
    Field("IN1-13", "period.end", ts.date_time),
)
# 1 counts; 3, 4, 10, 11, 15 and 36 are read below.
COVERAGE_KNOWN = numbers(COVERAGE, 1, 3, 4, 10, 11, 15, 36)


def coverage(segment: Segment, patient: Resource, scope: Scope) -> Resource | None:
    """Returns the Coverage: one for patient, kind, insurer and insured; None, noted, without an insurer."""
    found = elements(segment, COVERAGE, scope)
    leftover(segment, COVERAGE_KNOWN, scope)
    payor = _payor(segment, scope)
    if not payor:
        scope.at(segment, 3).note("There is no insurer.")
        return None
    symbol, number, branch = _insured(segment)
    key = (patient["id"], segment[2][1], segment[3][1] or segment[4][1], symbol, number or segment[36][1], branch)
    return {
        "resourceType": "Coverage",
        "id": resource_id("Coverage", scope.facility.number, *key),
        "meta": {"profile": [PROFILE]},
        **_extensions(symbol, number, branch),
        **_member(segment, symbol, number, branch),
        "status": "active",
        **found,
        **_subscriber(segment, symbol, number),
        "beneficiary": reference(patient),
        "payor": [payor],
        **_plan(segment),
    }


def _payor(segment: Segment, scope: Scope) -> Resource | None:
    """The insurer as a logical reference; its 8 digits are a number of the whole country where the kind is Japanese."""
    names = segment[4].repetitions
    named = xon.organization(names[0], scope.at(segment, 4)) if names else None
    display = {"display": named["display"]} if named and "display" in named else {}
    number = segment[3][1].strip()
    if not number:
        return {"type": "Organization", **display} if display else None
    identifier = {"system": _payor_system(segment, scope), "value": number}
    return {"type": "Organization", "identifier": identifier, **display}


def _payor_system(segment: Segment, scope: Scope) -> str:
    if _japanese(segment):
        return PUBLIC_PAYER if _subsidy(segment) else INSURER
    number: Repetition = segment[3].repetitions[0]
    return hd.component(number, 4, scope) or scope.local("insurer")


def _japanese(segment: Segment) -> bool:
    return segment[2][3] == JAPANESE


def _subsidy(segment: Segment) -> bool:
    kind = translate("insurance-kind", segment[2][1])
    return _japanese(segment) and kind is not None and kind.code == SUBSIDY


def _insured(segment: Segment) -> tuple[str, str, str]:
    """Symbol, number, branch of a Japanese insurance card; some send all three as repetitions of IN1-10."""
    if not _japanese(segment):
        return "", "", ""
    sent = [one.text.strip() for one in segment[10].repetitions]
    if len(sent) > 1:
        return sent[0], sent[1], sent[2] if len(sent) > 2 else ""
    number = segment[11].text.strip() if segment[11] and not segment[11].null else ""
    return (sent[0] if sent else ""), number, ""


def _extensions(*insured: str) -> Resource:
    named = zip(("Symbol", "Number", "SubNumber"), insured, strict=True)
    found = [{"url": EXTENSION + name, "valueString": value} for name, value in named if value]
    return {"extension": found} if found else {}


def _member(segment: Segment, symbol: str, number: str, branch: str) -> Resource:
    """`insurer:symbol:number:branch`, only where insurer and number are known; the branch is not guessed."""
    insurer = segment[3][1].strip()
    if not number or not insurer or _subsidy(segment):
        return {}
    value = ":".join((insurer.rjust(8, "0"), symbol, number, branch))
    return {"identifier": [{"system": MEMBER, "value": value}]}


def _subscriber(segment: Segment, symbol: str, number: str) -> Resource:
    if not _japanese(segment):
        return {"subscriberId": segment[36][1]} if segment[36][1] else {}
    found = {"subscriberId": ":".join(filter(None, (symbol, number)))} if symbol or number else {}
    return found


def _plan(segment: Segment) -> Resource:
    """IN1-15: work-related, prefecture of a local subsidy, kind of plan."""
    given: parse.Field = segment[15]
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/coverage-class", "code": "plan"}]}
    named: Sequence[tuple[str, str]] = (("value", given[1] or given[2]), ("name", given[2]))
    found = {name: value for name, value in named if value}
    return {"class": [{"type": kind, **found}]} if found else {}
