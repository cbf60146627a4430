"""PL, person location → Reference to a Location. HL7 v2.5 2.A.53."""

from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource

# From the outermost to the innermost: building, floor, ward or clinic, room, bed.
PARTS = (7, 8, 1, 2, 3)


def location(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns a logical Reference: a bed is named with all that it stands in, for bed 1 is in every room."""
    parts = [clean(repetition[one]) for one in PARTS]
    if not any(parts):
        return None
    display = clean(repetition[9]) or " ".join(filter(None, parts))
    identifier = {"system": scope.local("location"), "value": "/".join(parts).strip("/")}
    return {"type": "Location", "identifier": identifier, "display": display}
