"""The five resources of the network, each through every interaction, on a real socket and a real database."""

from typing import Any

import pytest

from tests.server import Client

PATIENT = {
    "resourceType": "Patient", "id": "p1", "active": True,
    "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.51.11110000001", "value": "0000100001"}],
    "name": [
        {"use": "usual", "text": "架橋 花子", "family": "架橋", "given": ["花子"]},
        {"use": "usual", "text": "カケハシ ハナコ", "family": "カケハシ", "given": ["ハナコ"]},
    ],
    "telecom": [{"system": "phone", "value": "000-0000-0001", "use": "home"}],
    "gender": "female", "birthDate": "1950-03-04",
    "address": [{"text": "架空県渡市橋町1-2-3", "postalCode": "000-0001"}],
}
CONSENT = {
    "resourceType": "Consent", "id": "c1", "status": "active",
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "patient": {"reference": "Patient/p1"}, "dateTime": "2026-03-01T10:00:00+09:00",
    "policyRule": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}]},
    "provision": {"type": "permit", "period": {"start": "2026-03-01", "end": "2031-02-28"}},
}
OBSERVATION = {
    "resourceType": "Observation", "id": "o1", "status": "final",
    "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category",
                              "code": "laboratory"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4", "display": "HbA1c"}]},
    "subject": {"reference": "Patient/p1"}, "effectiveDateTime": "2026-03-02T08:30:00+09:00",
    "valueQuantity": {"value": 6.8, "unit": "%", "system": "http://unitsofmeasure.org", "code": "%"},
}
MEDICATION_REQUEST = {
    "resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order",
    "medicationCodeableConcept": {"coding": [{"system": "urn:oid:1.2.392.200119.4.403.1", "code": "103835401"}],
                                  "text": "メトホルミン"},
    "subject": {"reference": "Patient/p1"}, "authoredOn": "2026-03-02T09:00:00+09:00",
}
CARE_PLAN = {
    "resourceType": "CarePlan", "id": "k1", "status": "active", "intent": "plan", "title": "糖尿病連携パス",
    "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "735985000"}]}],
    "subject": {"reference": "Patient/p1"}, "period": {"start": "2026-03-02"},
}
FIVE = [PATIENT, CONSENT, OBSERVATION, MEDICATION_REQUEST, CARE_PLAN]

# Per type: how it changes, searches that find it, searches that do not.
CHANGES: dict[str, dict[str, Any]] = {
    "Patient": {"active": False},
    "Consent": {"status": "inactive"},
    "Observation": {"status": "amended"},
    "MedicationRequest": {"status": "stopped"},
    "CarePlan": {"status": "completed"},
}
FOUND = {
    "Patient": [
        "identifier=0000100001", "identifier=urn:oid:1.2.392.100495.20.3.51.11110000001|0000100001",
        "name=架橋", "name=カケハシ", "name=ｶｹﾊｼ", "family:exact=架橋", "given=花", "name:contains=ハシ", "gender=female",
        "birthdate=1950-03-04", "birthdate=1950", "birthdate=lt1951", "birthdate=ge1950-03-04", "active=true",
        "telecom=000-0000-0001", "phone=000-0000-0001", "address=架空県", "address-postalcode=000", "_id=p1",
        "_lastUpdated=2026-04-01", "_id=p0,p1", "gender=male,female", "gender=female&birthdate=1950",
        "gender:not=male", "death-date:missing=true", "name:missing=false",
    ],
    "Consent": [
        "patient=p1", "patient=Patient/p1", "status=active", "date=2026-03-01", "date=ge2026-03",
        "scope=patient-privacy", "category=http://loinc.org|59284-0", "period=ap2028", "period=ge2026-03-01",
    ],
    "Observation": [
        "patient=p1", "subject=Patient/p1", "subject:Patient=p1", "code=4548-4", "code=http://loinc.org|4548-4",
        "code=http://loinc.org|", "category=laboratory", "status=final", "date=2026-03-02", "date=2026-03-01T23:30:00Z",
        "date=gt2026-03-01", "date=ge2026-03-01&date=lt2026-03-03", "value-quantity=6.8",
        "value-quantity=gt6.5", "value-quantity=6.8|http://unitsofmeasure.org|%", "value-quantity=le6.80||%",
        "patient=p1&code=4548-4&date=2026",
    ],
    "MedicationRequest": [
        "patient=p1", "subject=Patient/p1", "status=active", "intent=order", "code=103835401",
        "code=urn:oid:1.2.392.200119.4.403.1|103835401", "authoredon=2026-03-02", "authoredon=sa2026-03-01",
    ],
    "CarePlan": [
        "patient=p1", "subject=Patient/p1", "status=active", "intent=plan", "category=735985000", "date=ap2026-12",
        "date=ge2026-03-02",
    ],
}
NOT_FOUND = {
    "Patient": ["identifier=0000100002", "identifier=urn:oid:1.2.3|0000100001", "identifier=|0000100001", "name=橋",
                "family:exact=架", "gender=male", "birthdate=1950-03-05", "birthdate=gt1950", "active=false",
                "gender:not=female", "name:missing=true", "_id=p2", "_lastUpdated=lt2026-04-01", "name=.*", "name=$ne"],
    "Consent": ["patient=p2", "status=draft", "date=lt2026-03-01", "period=2028", "period=ap2040"],
    "Observation": ["patient=p2", "code=4548", "code=http://snomed.info/sct|4548-4", "date=2026-03-03",
                    "value-quantity=6.9", "value-quantity=gt7", "value-quantity=6.8||mg/dL", "subject:Group=p1"],
    "MedicationRequest": ["status=stopped", "authoredon=2026-03-01", "code=x"],
    "CarePlan": ["date=lt2026-03-01", "status=draft"],
}


def at(resource: dict[str, Any], version: int, second: int) -> dict[str, Any]:
    """The resource as the server gives it: the test clock goes on a second with each write."""
    stamp = {"versionId": str(version), "lastUpdated": f"2026-04-01T09:00:{second:02d}.000Z"}
    return {**resource, "meta": stamp}


@pytest.mark.parametrize("resource", FIVE, ids=lambda one: one["resourceType"])
def test_create_read_update_vread_history_delete(fhir: Client, resource: dict[str, Any]) -> None:
    type_ = resource["resourceType"]
    made = {name: value for name, value in resource.items() if name != "id"}
    created = fhir.send("POST", type_, made)
    first = at({**resource, "id": "id-1"}, 1, 0)
    assert (created.status_code, created.json()) == (201, first)
    assert created.headers["Location"] == f"{fhir.base}/{type_}/id-1/_history/1"
    assert fhir.get(f"{type_}/id-1").json() == first

    changed = {**resource, "id": "id-1", **CHANGES[type_]}
    stale = fhir.send("PUT", f"{type_}/id-1", changed, If_Match='W/"7"')
    updated = fhir.send("PUT", f"{type_}/id-1", changed, If_Match='W/"1"')
    second = at(changed, 2, 1)
    assert (stale.status_code, updated.status_code, updated.json()) == (412, 200, second)
    assert fhir.get(f"{type_}/id-1/_history/1").json() == first
    assert fhir.get(f"{type_}/id-1/_history/2").json() == second

    assert fhir.send("DELETE", f"{type_}/id-1").status_code == 204
    assert [fhir.get(path).status_code for path in (f"{type_}/id-1", f"{type_}/id-1/_history/3",
                                                    f"{type_}/id-1/_history/2")] == [410, 410, 200]
    history = fhir.get(f"{type_}/id-1/_history").json()
    assert [(one["request"]["method"], one.get("resource")) for one in history["entry"]] == [
        ("DELETE", None), ("PUT", second), ("PUT", first)]
    assert fhir.ids(f"{type_}?_id=id-1") == []


@pytest.mark.parametrize("resource", FIVE, ids=lambda one: one["resourceType"])
def test_search_finds_it_by_what_it_says(fhir: Client, resource: dict[str, Any]) -> None:
    type_ = resource["resourceType"]
    fhir.send("PUT", f"{type_}/{resource['id']}", resource)
    found = {query: fhir.ids(f"{type_}?{query}") for query in FOUND[type_] + NOT_FOUND[type_]}
    assert found == {**{query: [resource["id"]] for query in FOUND[type_]}, **{query: [] for query in NOT_FOUND[type_]}}


def test_all_five_come_in_one_transaction_and_are_found_by_the_patient(fhir: Client) -> None:
    entries = [{"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
               for one in FIVE]
    answer = fhir.send("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert [one["response"]["status"] for one in answer.json()["entry"]] == ["201 Created"] * 5
    assert {one["resourceType"]: fhir.ids(f"{one['resourceType']}?patient=p1") for one in FIVE[1:]} == {
        "Consent": ["c1"], "Observation": ["o1"], "MedicationRequest": ["m1"], "CarePlan": ["k1"]}


@pytest.mark.parametrize("resource", FIVE, ids=lambda one: one["resourceType"])
def test_each_is_refused_with_the_element_that_is_wrong(fhir: Client, resource: dict[str, Any]) -> None:
    type_ = resource["resourceType"]
    unknown = fhir.send("PUT", f"{type_}/{resource['id']}", {**resource, "colour": "blue"})
    wrong = fhir.send("PUT", f"{type_}/{resource['id']}", {**resource, "language": 7})
    assert [(one.status_code, [issue["expression"] for issue in one.json()["issue"]]) for one in (unknown, wrong)] == [
        (422, [[f"{type_}.colour"]]), (422, [[f"{type_}.language"]])]
