"""AL1 → AllergyIntolerance. HL7 v2.5 3.4.6; JP Core JP_AllergyIntolerance."""

from adapters.hl7v2.datatypes import cwe, ts
from adapters.hl7v2.fields import Field, Scope, elements, leftover, numbers
from adapters.hl7v2.parse import Repetition, Segment
from adapters.identity import reference, resource_id
from fhir_server.fhirjson import Resource
from terminology.service import translate

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_AllergyIntolerance"
ACTIVE = {
    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]
}
CONTRAINDICATION = "MC"


def category(repetition: Repetition, scope: Scope) -> str | None:
    """Reads table 0127; the codes for mixed allergies and contraindications belong to no category."""
    target = translate("allergen-category", repetition[1])
    return target.code if target else None


def criticality(repetition: Repetition, scope: Scope) -> str | None:
    """Reads table 0128."""
    target = translate("allergy-criticality", repetition[1])
    return target.code if target else None


def manifestation(repetition: Repetition, scope: Scope) -> Resource | None:
    return {"text": repetition.text} if repetition.text.strip() else None


ALLERGY = (
    Field("AL1-2", "category[]", category),
    Field("AL1-4", "criticality", criticality),
    Field("AL1-3", "code", cwe.codeable_concept),
    Field("AL1-6", "onsetDateTime", ts.date_time),
)
REACTION = (Field("AL1-5", "manifestation[]", manifestation),)
ALLERGY_KNOWN = numbers(ALLERGY, REACTION, 1)


def allergy(segment: Segment, patient: Resource, scope: Scope) -> Resource | None:
    """Returns the AllergyIntolerance: one for patient, category and substance; None, noted, without one."""
    found = elements(segment, ALLERGY, scope)
    leftover(segment, ALLERGY_KNOWN, scope)
    if "code" not in found:
        scope.at(segment, 3).note("There is no substance.")
        return None
    if segment[2][1] == CONTRAINDICATION:
        found = {**found, "criticality": "high"}
    reaction = elements(segment, REACTION, scope)
    key = (patient["id"], segment[2][1], cwe.key(found["code"]))
    return {
        "resourceType": "AllergyIntolerance",
        "id": resource_id("AllergyIntolerance", scope.facility.number, *key),
        "meta": {"profile": [PROFILE]},
        "clinicalStatus": ACTIVE,
        **found,
        "patient": reference(patient),
        **({"reaction": [reaction]} if reaction else {}),
    }
