"""XCN, person with a number and a name → Reference to a Practitioner. HL7 v2.5 2.A.88.

A feed states a person's number and name, and owns neither: so the reference is a logical one (identifier and display)
and no Practitioner is created. https://hl7.org/fhir/R4/references.html#logical
"""

from adapters.hl7v2 import parse
from adapters.hl7v2.datatypes import hd
from adapters.hl7v2.datatypes.systems import STAFF_NUMBER
from adapters.hl7v2.datatypes.xpn import clean, name_parts
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource


def practitioner(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns the Reference, None where neither a number nor a name was sent."""
    number, display = clean(repetition[1]), _display(repetition)
    if not number and not display:
        return None
    found: Resource = {"type": "Practitioner"}
    if number:
        own = not repetition.sub(9, 2) and repetition[9] in ("", *scope.facility.senders)
        system = STAFF_NUMBER + scope.facility.number if own else hd.component(repetition, 9, scope)
        found["identifier"] = {"system": system, "value": number} if system else {"value": number}
    return {**found, "display": display} if display else found


def persons(given: parse.Field) -> list[Repetition]:
    """Chooses one repetition for a person: the kana form after the kanji form states nobody new."""
    chosen: list[Repetition] = []
    for one in given.repetitions:
        if not (one[15] == "P" and chosen and one[1] in ("", chosen[-1][1])):
            chosen.append(one)
    return chosen


def _display(repetition: Repetition) -> str:
    family, given = name_parts(repetition[2], [repetition[3], repetition[4]])
    order = (family, *given) if not family.isascii() else (clean(repetition[6]), *given, family)
    return " ".join(filter(None, order))
