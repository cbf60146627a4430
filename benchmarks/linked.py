"""The nine linked resources of the CRUD mix: who, where, what happened, what it cost. 0.6 to 5 KB each.

`@Patient@` stands for the id of the Patient created last, and so on: `wrk/crud.lua` puts it in.
"""

from collections.abc import Iterator

from benchmarks import patients
from benchmarks.patients import Resource

_ABOUT = ("Patient/@Patient@", "Encounter/@Encounter@")
_TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
ITEMS = 12


def resources() -> Iterator[Resource]:
    """Returns one of each type, in the order of their links."""
    chance = patients.random(0)
    whom = patients.about(chance, *_ABOUT)
    yield patients.patient(chance)
    yield _location()
    yield _organization()
    yield _practitioner()
    yield {
        **patients.encounter(chance, whom),
        "participant": [{"individual": _to("Practitioner")}],
        "location": [{"location": _to("Location")}],
        "serviceProvider": _to("Organization"),
    }
    yield {**patients.observation(chance, whom), "performer": [_to("Practitioner")]}
    yield {**patients.medication_request(chance, whom), "requester": _to("Practitioner")}
    yield _claim(whom)
    yield _explanation(whom)


def _to(type_: str) -> Resource:
    return {"reference": f"{type_}/@{type_}@"}


def _address(line: str) -> Resource:
    return {"line": [line], "city": "新宿区", "state": "東京都", "postalCode": "1600023", "country": "JP"}


def _phone(number: str) -> Resource:
    return {"system": "phone", "value": number, "use": "work"}


def _location() -> Resource:
    return {
        "resourceType": "Location", "status": "active", "name": "架空総合病院 内科外来", "mode": "instance",
        "identifier": [{"system": "urn:oid:1.2.392.100495.20.3.62", "value": "OPD-0001"}],
        "description": "本館二階の外来診察室。受付は一階の総合案内の右手にある。",
        "telecom": [_phone("03-5555-0101")], "address": _address("架空一丁目1番"),
        "position": {"longitude": 139.6917, "latitude": 35.6895},
    }


def _organization() -> Resource:
    return {
        "resourceType": "Organization", "active": True, "name": "架空総合病院",
        "identifier": [{"system": "http://jpfhir.jp/fhir/core/IdSystem/insurance-medical-institution-no",
                        "value": "1319999991"}],
        "type": [{"coding": [{"system": f"{_TERMINOLOGY}/organization-type", "code": "prov"}], "text": "病院"}],
        "alias": ["架空病院", "Kakuu General Hospital"],
        "telecom": [_phone("03-5555-0100"), _phone("03-5555-0199")], "address": [_address("架空一丁目1番")],
    }


def _practitioner() -> Resource:
    return {
        "resourceType": "Practitioner", "active": True, "gender": "female",
        "identifier": [{"system": "http://jpfhir.jp/fhir/core/IdSystem/medicalRegistrationNumber", "value": "999999"}],
        "name": [{"text": "架空 医子", "family": "架空", "given": ["医子"]},
                 {"text": "カクウ イコ", "family": "カクウ", "given": ["イコ"]}],
        "telecom": [_phone("03-5555-0102")], "address": [_address("架空一丁目1番")],
        "qualification": [{"code": {"text": "総合内科専門医"}}],
    }


def _billed(whom: patients.About) -> Resource:
    """What a claim and its explanation both state."""
    day = whom.when.date().isoformat()
    return {
        "status": "active", "use": "claim",
        "type": {"coding": [{"system": f"{_TERMINOLOGY}/claim-type", "code": "institutional"}]},
        "patient": {"reference": whom.patient}, "created": day, "billablePeriod": {"start": day, "end": day},
        "provider": _to("Organization"),
    }


def _item(number: int) -> Resource:
    yen = {"value": 730 + 100 * number, "currency": "JPY"}
    product = {"coding": [{"system": "urn:oid:1.2.392.100495.20.2.61", "code": f"A{number:03}"}], "text": "診療行為"}
    return {"sequence": number, "productOrService": product, "quantity": {"value": 1}, "unitPrice": yen, "net": yen}


def _claim(whom: patients.About) -> Resource:
    return {
        "resourceType": "Claim", **_billed(whom),
        "priority": {"coding": [{"system": f"{_TERMINOLOGY}/processpriority", "code": "normal"}]},
        "insurance": [{"sequence": 1, "focal": True, "coverage": {"display": "国民健康保険"}}],
        "item": [{**_item(one), "encounter": [{"reference": whom.encounter}]} for one in range(1, ITEMS + 1)],
        "total": {"value": 16560, "currency": "JPY"},
    }


def _explanation(whom: patients.About) -> Resource:
    payer = {"resourceType": "Coverage", "id": "coverage", "status": "active",
             "beneficiary": {"reference": whom.patient}, "payor": [{"display": "架空国民健康保険組合"}]}
    referral = {"resourceType": "ServiceRequest", "id": "referral", "status": "completed", "intent": "order",
                "subject": {"reference": whom.patient}, "requester": _to("Practitioner")}
    paid = {"category": {"coding": [{"system": f"{_TERMINOLOGY}/adjudication", "code": "benefit"}]},
            "amount": {"value": 511, "currency": "JPY"}}
    return {
        "resourceType": "ExplanationOfBenefit", "contained": [payer, referral], **_billed(whom),
        "insurer": {"display": "架空国民健康保険組合"}, "outcome": "complete",
        "referral": {"reference": "#referral"}, "claim": _to("Claim"),
        "insurance": [{"focal": True, "coverage": {"reference": "#coverage"}}],
        "item": [{**_item(one), "adjudication": [paid]} for one in range(1, ITEMS + 1)],
        "total": [{"category": paid["category"], "amount": {"value": 6132, "currency": "JPY"}}],
    }
