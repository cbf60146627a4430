"""The visit in a message that is not about it: a stub of the Encounter, where PV1 names one by its number."""

from adapters.hl7v2.fields import Scope
from adapters.hl7v2.messages.statement import custodian
from adapters.hl7v2.parse import Message
from adapters.hl7v2.segments import pv1
from fhir_server.fhirjson import Resource
from terminology.service import translate


def visit(message: Message, patient: Resource, scope: Scope) -> Resource | None:
    """Returns the Encounter to refer to, to be written only where none is stored; None without a visit number (PV1-19).

    In an order or a result PV1 says where the patient was at that moment, and must not change the stay.
    """
    segment = message.first("PV1")
    if segment is None or not segment[19][1].strip():
        return None
    found = pv1.encounter(message, patient, "", scope)
    if found is None:
        return None
    target = translate("patient-class-status", segment[2][1])
    return {**found, "status": target.code if target else "unknown", "serviceProvider": custodian(scope)}
