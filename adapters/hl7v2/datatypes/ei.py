"""EI, entity identifier → Identifier: order, filler, specimen numbers. HL7 v2.5 2.A.28."""

from adapters.hl7v2.datatypes import hd
from adapters.hl7v2.datatypes.cx import kind
from adapters.hl7v2.fields import Reader, Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource


def numbered(name: str, type: str = "") -> Reader:
    """Returns a reader: a number whose assigner is not stated belongs to the facility's series `name`.

    `type` is a code of table 0203, such as PLAC or FILL.
    """

    def read(repetition: Repetition, scope: Scope) -> Resource | None:
        value = repetition[1].strip()
        if not value:
            return None
        system = hd.designated(repetition[2], repetition[3], repetition[4], scope) or scope.local(name)
        found: Resource = {"system": system, "value": value}
        return {"type": kind(type), **found} if type else found

    return read


placer = numbered("order", "PLAC")
filler = numbered("filler", "FILL")


def specimen(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads EIP: the filler's number of a specimen before the placer's. HL7 v2.5 2.A.29."""
    at = 2 if repetition[2] else 1
    value = repetition.sub(at, 1).strip()
    system = hd.designated(repetition.sub(at, 2), repetition.sub(at, 3), repetition.sub(at, 4), scope)
    return {"system": system or scope.local("specimen"), "value": value} if value else None
