"""OBR → DiagnosticReport. HL7 v2.5 7.4.1; JP Core JP_DiagnosticReport_LabResult."""

from collections.abc import Sequence

from adapters.hl7v2.datatypes import cwe, ei, ts, xcn
from adapters.hl7v2.datatypes.systems import JP, V2
from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Field, Scope, elements, leftover, numbers
from adapters.hl7v2.parse import Segment
from adapters.hl7v2.segments import obx
from fhir_server.fhirjson import Resource
from terminology.service import translate

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_DiagnosticReport_LabResult"
LABORATORY = {"coding": [{"system": "http://loinc.org", "code": "LP29693-6", "display": "Laboratory studies"}]}
LABORATORY_REPORT = {"system": f"{JP}JP_DocumentCodes_CS", "code": "11502-2", "display": "検体検査報告書"}

# The sections of table 0074 that examine specimens.
LABORATORY_SECTIONS = frozenset("LAB CH HM MB MCB MYC SR BLB CG IMM TX VR URN".split())

CODE = (Field("OBR-4", "code", cwe.codeable_concept),)
REPORT = (
    *CODE,
    Field("OBR-2", "identifier[]", ei.placer),
    Field("OBR-3", "identifier[]", ei.filler),
    Field("OBR-22", "issued", ts.instant),
    Field("OBR-32", "resultsInterpreter[]", xcn.practitioner, xcn.persons),
)
# 1 counts; 7, 8, 24, 25 and 26 are read below; 15 is the specimen, 16 the requester that ORC-12 names.
REPORT_KNOWN = numbers(REPORT, 1, 7, 8, 15, 16, 24, 25, 26)


def report(segment: Segment, laboratory: bool, scope: Scope) -> Resource:
    """Returns what OBR says of a DiagnosticReport: without id, status, references, which the whole group decides."""
    found = elements(segment, REPORT, scope)
    leftover(segment, REPORT_KNOWN, scope)
    code = found.get("code", {"text": "検査報告"})
    section = clean(segment[24][1])
    categories = [LABORATORY] if laboratory else []
    if section:
        categories = [*categories, {"coding": [{"system": f"{V2}0074", "code": section}]}]
    if laboratory:
        code = {**code, "coding": [LABORATORY_REPORT, *code.get("coding", ())]}
    return {
        **({"meta": {"profile": [PROFILE]}} if laboratory else {}),
        **found,
        **({"category": categories} if categories else {}),
        "code": code,
        **effective(segment, scope),
    }


def test(segment: Segment, scope: Scope) -> Resource:
    """Returns OBR-4 as it was sent."""
    found: Resource = elements(segment, CODE, Scope(scope.facility, scope.zone)).get("code", {})
    return found


def effective(segment: Segment, scope: Scope) -> Resource:
    """Returns DiagnosticReport.effective[x] of OBR-7 and OBR-8, empty where neither is stated."""
    start = ts.stated(segment[7][1], scope.at(segment, 7))
    end = ts.stated(segment[8][1], scope.at(segment, 8))
    if start and end and start != end:
        return {"effectivePeriod": {"start": start, "end": end}}
    return {"effectiveDateTime": start or end} if start or end else {}


def status(segment: Segment, order: Segment | None, results: Sequence[str], scope: Scope) -> str:
    """Returns the status: OBR-25, else ORC-5, else what the statuses of the results come to."""
    stated = segment[25][1]
    target = translate("report-status", stated)
    if stated and not target:
        scope.at(segment, 25).note("The code is not in the map report-status.")
    if not target and order is not None:
        target = translate("order-report-status", order[5][1])
    return _with(results, target.code if target else None)


def _with(results: Sequence[str], stated: str | None) -> str:
    """A report that is only registered has no results yet."""
    if stated and not (stated == "registered" and results):
        return stated
    if not results:
        return "registered"
    if "corrected" in results or "amended" in results:
        return "corrected"
    if all(one in ("final", "cancelled", "entered-in-error") for one in results):
        return "final"
    return "partial" if "final" in results else "preliminary"


def merge_report(earlier: Resource, later: Resource) -> Resource:
    """Returns one report as two messages state it: its status never goes back, its results add up."""
    behind = obx.stage(later) < obx.stage(earlier)
    stands = earlier if behind else {**later, "status": obx.kept_status(earlier, later)}
    results = [*earlier.get("result", ()), *later.get("result", ())]
    distinct = list({one["reference"]: one for one in results}.values())
    return {**stands, **({"result": distinct} if distinct else {})}
