"""The demonstration resident's Consent and CarePlan, as an application of the network would write them."""

from fhir_server.fhirjson import Resource

_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
_POLICY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def consent(patient: str) -> Resource:
    """Agrees to the network for all who treat the resident. `patient` is a reference such as `Patient/p1`."""
    return {
        "resourceType": "Consent",
        "id": "demo-consent",
        "status": "active",
        "scope": {"coding": [{"system": _SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": patient},
        "dateTime": "2025-04-01T09:00:00+09:00",
        "policyRule": {"coding": [{"system": _POLICY, "code": "OPTIN"}]},
        "provision": {"type": "permit", "period": {"start": "2025-04-01"}},
    }


def care_plan(patient: str) -> Resource:
    return {
        "resourceType": "CarePlan",
        "id": "demo-care-plan",
        "status": "active",
        "intent": "plan",
        "title": "在宅療養計画（見本）",
        "subject": {"reference": patient},
        "period": {"start": "2025-04-01"},
        "activity": [
            {"detail": {"status": "in-progress", "description": "週一回の訪問看護（架空）"}},
            {"detail": {"status": "scheduled", "description": "三か月ごとの血液検査（架空）"}},
        ],
    }
