"""ORC with OBR → ServiceRequest. HL7 v2.5 4.5.1; JP Core JP_ServiceRequest_Common."""

from collections.abc import Sequence

from adapters.hl7v2.datatypes import cwe, ei, ts, xcn
from adapters.hl7v2.fields import Field, Scope, elements, leftover, numbers
from adapters.hl7v2.parse import Repetition, Segment
from adapters.hl7v2.segments import nte
from adapters.identity import reference, resource_id
from fhir_server.fhirjson import Resource
from terminology.service import translate

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_ServiceRequest_Common"
DEPARTMENT = "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department"
NEW = "NW"


def department(repetition: Repetition, scope: Scope) -> Resource | None:
    found = cwe.codeable_concept(repetition, scope)
    return {"url": DEPARTMENT, "valueCodeableConcept": found} if found else None


CODE = (Field("OBR-4", "code", cwe.codeable_concept),)
REQUEST = (
    Field("ORC-2", "identifier[]", ei.placer),
    Field("ORC-3", "identifier[]", ei.filler),
    Field("ORC-17", "extension[]", department),
    Field("ORC-4", "requisition", ei.numbered("group", "PGN")),
    Field("ORC-12", "requester", xcn.practitioner, xcn.persons),
    Field("ORC-29", "locationCode[]", cwe.table("0482")),
)
# 1, 5 and 9 are read below; 21 to 24 describe the facility, whose Organization is our own.
REQUEST_KNOWN = numbers(REQUEST, 1, 5, 9, 21, 22, 23, 24)


def service_request(
    segment: Segment, observation_request: Segment, comments: Sequence[Segment], patient: Resource, scope: Scope
) -> Resource | None:
    """Returns the order that a result answers, one for an order number; None without the placer's number (ORC-2)."""
    found = elements(segment, REQUEST, scope)
    leftover(segment, REQUEST_KNOWN, scope)
    number = segment[2][1].strip()
    if not number:
        return None
    code = elements(observation_request, CODE, scope)
    comment = nte.annotation(comments)
    return {
        "resourceType": "ServiceRequest",
        "id": resource_id("ServiceRequest", scope.facility.number, patient["id"], number),
        "meta": {"profile": [PROFILE]},
        **found,
        "status": _status(segment),
        "intent": "order",
        **code,
        "subject": reference(patient),
        **_authored(segment, scope),
        **({"note": comment} if comment else {}),
    }


def _status(segment: Segment) -> str:
    """ORC-5 before ORC-1, which says what the message does and only sometimes how the order stands."""
    order_status, control = segment[5][1], segment[1][1]
    target = translate("order-status", order_status) or translate("order-control", control)
    return target.code if target else "unknown"


def _authored(segment: Segment, scope: Scope) -> Resource:
    """ORC-9 is the time of this transaction: the order's own only when it is new."""
    found = ts.stated(segment[9][1], scope.at(segment, 9)) if segment[1][1] == NEW else None
    return {"authoredOn": found} if found else {}
