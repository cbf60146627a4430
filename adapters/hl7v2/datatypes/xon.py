"""XON, organization name and number → Reference to an Organization. HL7 v2.5 2.A.87."""

from adapters.hl7v2.datatypes import hd
from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource


def organization(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns a logical Reference (identifier and display), None where neither was sent."""
    name, number = clean(repetition[1]), repetition[10] or repetition[3]
    if not name and not number:
        return None
    found: Resource = {"type": "Organization"}
    if number:
        system = hd.component(repetition, 6, scope) or scope.local("organization")
        found["identifier"] = {"system": system, "value": number}
    return {**found, "display": name} if name else found
