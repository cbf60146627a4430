"""CX, extended composite id → Identifier. HL7 v2.5 2.A.14; jp-core: patient numbers of one institution."""

from adapters.hl7v2.datatypes import hd, ts
from adapters.hl7v2.datatypes.systems import IDENTIFIER_TYPE, PATIENT_NUMBER
from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource


def identifier(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns the Identifier; what no other authority assigned is a patient number of the facility."""
    value = repetition[1].strip()
    if not value:
        return None
    own = is_own(repetition, scope) and not repetition.sub(4, 2)
    system = patient_number_system(scope) if own else hd.component(repetition, 4, scope)
    found: Resource = {"system": system, "value": value} if system else {"value": value}
    if type := clean(repetition[5]):
        found = {"type": kind(type), **found}
    period = ts.period(repetition[7], repetition[8], scope)
    return {**found, "period": period} if period else found


def is_own(repetition: Repetition, scope: Scope) -> bool:
    """Whether the number was assigned by the facility: CX.4 is empty or one of the names it sends under."""
    authority = repetition[4]
    return authority in ("", scope.facility.number, *scope.facility.senders)


def patient_number_system(scope: Scope) -> str:
    return PATIENT_NUMBER + scope.facility.number


def kind(code: str) -> Resource:
    """Returns Identifier.type for a code of table 0203."""
    return {"coding": [{"system": IDENTIFIER_TYPE, "code": code}]}
