"""DG1 → Condition, and its place in Encounter.diagnosis. HL7 v2.5 6.5.2; JP Core JP_Condition_Diagnosis."""

from adapters.hl7v2.datatypes import cwe, ei, nm, ts, xcn
from adapters.hl7v2.fields import Field, Scope, elements, leftover, numbers, text
from adapters.hl7v2.parse import Segment
from adapters.identity import reference, resource_id
from fhir_server.fhirjson import Resource

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Condition_Diagnosis"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"
ENCOUNTER_DIAGNOSIS = {"coding": [{"system": f"{TERMINOLOGY}condition-category", "code": "encounter-diagnosis"}]}
ACTIVE = {"clinicalStatus": {"coding": [{"system": f"{TERMINOLOGY}condition-clinical", "code": "active"}]}}
IN_ERROR = {
    "verificationStatus": {"coding": [{"system": f"{TERMINOLOGY}condition-ver-status", "code": "entered-in-error"}]}
}
DELETED = "D"
USES = {"A": "AD", "F": "DD"}

DIAGNOSIS = (
    Field("DG1-20", "identifier[]", ei.numbered("diagnosis")),
    Field("DG1-3", "code", cwe.codeable_concept),
    Field("DG1-5", "onsetDateTime", ts.date_time),
    Field("DG1-19", "recordedDate", ts.date_time),
    Field("DG1-16", "asserter", xcn.practitioner, xcn.persons),
)
NAME = (Field("DG1-4", "text", text),)
# 1 counts, 2 is the coding method that DG1-3.3 says better, 6 and 15 go to the Encounter, 21 is read below.
DIAGNOSIS_KNOWN = numbers(DIAGNOSIS, NAME, 1, 2, 6, 15, 21)


def condition(segment: Segment, patient: Resource, encounter: Resource | None, scope: Scope) -> Resource | None:
    """Returns the Condition: one for its number (DG1-20), else for patient, encounter and code; None without a code."""
    found = {**elements(segment, DIAGNOSIS, scope)}
    code = {**found.get("code", {}), **elements(segment, NAME, scope)}
    leftover(segment, DIAGNOSIS_KNOWN, scope)
    if not code:
        scope.at(segment, 3).note("There is no diagnosis.")
        return None
    own = segment[20][1]
    key = ("number", own) if own else (patient["id"], encounter["id"] if encounter else "", cwe.key(code))
    return {
        "resourceType": "Condition",
        "id": resource_id("Condition", scope.facility.number, *key),
        "meta": {"profile": [PROFILE]},
        **(IN_ERROR if segment[21][1] == DELETED else ACTIVE),
        "category": [ENCOUNTER_DIAGNOSIS],
        **found,
        "code": code,
        "subject": reference(patient),
        **({"encounter": reference(encounter)} if encounter else {}),
    }


def diagnosis(segment: Segment, stated: Resource) -> Resource:
    """Returns the entry of Encounter.diagnosis for a Condition."""
    use, rank = USES.get(segment[6][1]), nm.count(segment[15][1])
    return {
        "condition": reference(stated),
        **({"use": {"coding": [{"system": f"{TERMINOLOGY}diagnosis-role", "code": use}]}} if use else {}),
        **({"rank": rank} if rank else {}),
    }
