"""RXC, pharmacy/treatment component → Medication.ingredient. HL7 v2.5 4.14.3; JP_Medication."""

from decimal import Decimal

from adapters.hl7v2.datatypes import cwe
from adapters.hl7v2.datatypes.dose import coded, only, quantity
from adapters.hl7v2.datatypes.systems import MHLW
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Segment
from adapters.hl7v2.segments.rxe import EXTENSION
from fhir_server.fhirjson import Resource

# JP Core: the strength of an ingredient is what one administration holds.
TIME: Resource = {
    "value": Decimal(1), "unit": "回", "system": f"{MHLW}CodeSystem/MedicationUnitMERIT9Code", "code": "TIME",
}  # fmt: skip
# Read below: drug, amount, unit.
READ = (2, 3, 4)


def ingredient(rxc: Segment, position: int, scope: Scope) -> Resource:
    """Returns one ingredient; `position` is its place in the order, from 1."""
    item = cwe.codeable_concept(only(rxc, 2), scope.at(rxc, 2)) or {"text": "不明"}
    amount = quantity(rxc[3].text, coded(only(rxc, 4)), scope.at(rxc, 3))
    found: Resource = {
        "extension": [{"url": f"{EXTENSION}JP_Medication_Ingredient_DrugNo", "valueInteger": position}],
        "itemCodeableConcept": item,
    }
    return {**found, "strength": {"numerator": amount, "denominator": TIME}} if amount else found
