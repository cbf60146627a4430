"""PRB, problem details → Condition. HL7 v2.5 12.4.2; SS-MIX2 PPR-01; JP_Condition_Diagnosis."""

from adapters.hl7v2.datatypes import cwe, ei, ts
from adapters.hl7v2.datatypes.dose import only
from adapters.hl7v2.fields import Field, Reader, Scope, first
from adapters.hl7v2.parse import Repetition, Segment
from fhir_server.fhirjson import Resource
from terminology.service import translate

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CATEGORY = "http://terminology.hl7.org/CodeSystem/condition-category"
OUTCOME = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_DiseaseOutcome"
DIAGNOSIS_TYPE = "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_DiagnosisType"

DELETED = "DE"
ERROR, ACTIVE, ENDED = "entered-in-error", "active", ("inactive", "resolved", "remission")
OUTCOMES = ("HL70241", "JHSD0006")
# Diseases without a code; what the hospital calls them stands in PRB-17.
UNCODED = "20084317"
SUSPECTED = "の疑い"


def extension(url: str) -> Reader:
    """Returns a reader of a code as an extension."""

    def read(repetition: Repetition, scope: Scope) -> Resource | None:
        found = cwe.codeable_concept(repetition, scope)
        return {"url": url, "valueCodeableConcept": found} if found else None

    return read


def outcome(repetition: Repetition, scope: Scope) -> Resource | None:
    """PRB-14 where it is a Japanese outcome (転帰); elsewhere it is a life cycle, which clinicalStatus says."""
    return extension(OUTCOME)(repetition, scope) if repetition[3] in OUTCOMES else None


def security(repetition: Repetition, scope: Scope) -> Resource | None:
    """PRB-25: how confidential it is."""
    target = translate("sensitivity", repetition[1])
    if not target:
        scope.note("The code is not in the map sensitivity.")
    return target._asdict() if target else None


CONDITION = (
    Field("PRB-4", "identifier[]", ei.numbered("problem"), first),
    Field("PRB-7", "recordedDate", ts.date_time, first),
    Field("PRB-9", "abatementDateTime", ts.date_time, first),
    Field("PRB-14", "extension[]", outcome, first),
    Field("PRB-16", "onsetDateTime", ts.date_time, first),
    Field("PRB-18", "extension[]", extension(DIAGNOSIS_TYPE), first),
    Field("PRB-25", "meta.security[]", security),
)
# Read by the functions below; 2, the time of the action, is that of the message.
READ = (1, 2, 3, 10, 13, 15, 17)


def codings(prb: Segment, scope: Scope) -> list[Resource]:
    """PRB-3 and the ICD-10 in the first three components of PRB-10; its component 7 is the edition."""
    found = [one for given in prb[3].repetitions for one in cwe.codings(given, scope.at(prb, 3))]
    for given in prb[10].repetitions:
        if given[3] == "I10" and (diagnosis := cwe.coding(given[1], given[2], "I10", scope, given[7])):
            found.append(diagnosis)
    return found


def categories(prb: Segment, scope: Scope) -> list[Resource]:
    """A problem of the list, and the moment of the diagnosis: on admission, at discharge … (JHSD0004)."""
    found: list[Resource] = [{"coding": [{"system": CATEGORY, "code": "problem-list-item"}]}]
    for given in prb[10].repetitions:
        if given[3] == "I10":
            moment = cwe.coding(given[4], given[5], given[6] or "JHSD0004", scope)
            found += [{"coding": [moment]}] if moment else []
        elif other := cwe.codeable_concept(given, scope.at(prb, 10)):
            found.append(other)
    return found


def verification(prb: Segment, japanese: bool, scope: Scope) -> str | None:
    """PRB-1 deletes; PRB-13 doubts. In Japan silence confirms."""
    if prb[1].text == DELETED:
        return ERROR
    target = translate("problem-confirmation", prb[13][1]) if prb[13] else None
    if prb[13][1] and not target:
        scope.at(prb, 13).note("The code is not in the map problem-confirmation.")
    return target.code if target else "confirmed" if japanese and not prb[13] else None


def clinical(prb: Segment, abated: bool, scope: Scope) -> str:
    """PRB-14, else whether it has ended; what has ended is not active (FHIR con-4)."""
    target = translate("problem-outcome", prb[14][1]) if prb[14] else None
    if prb[14][1] and not target and prb[14][3] not in OUTCOMES:
        scope.at(prb, 14).note("The code is not in the map problem-outcome.")
    if not target:
        return "resolved" if abated else ACTIVE
    return "inactive" if abated and target.code not in ENDED else target.code


def ended(prb: Segment, status: str, scope: Scope) -> str | None:
    """PRB-15, the time of the outcome, where nobody says when a resolved problem ended."""
    return ts.stated(prb[15][1], scope.at(prb, 15)) if status == "resolved" else None


def name(prb: Segment) -> str:
    """The name of the disease without modifiers: as coded, and for the uncoded as the hospital calls it."""
    given = only(prb, 3)
    called = given[9] or given[2] or given[5] or given[1]
    return prb[17].text if given[1] == UNCODED and prb[17].text else called


def status(uri: str, code: str) -> Resource:
    return {"coding": [{"system": uri, "code": code}]}
