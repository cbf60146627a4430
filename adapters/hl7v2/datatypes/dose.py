"""Amounts of medicine → Quantity. A dose keeps the code of its unit: MERIT-9 in Japan, UCUM elsewhere.

JP Core 1.2.0: JP_MedicationSimpleQuantity, JP_MedicationRatio_DosePerDay.
"""

from typing import NamedTuple

from adapters.hl7v2.datatypes.nm import number
from adapters.hl7v2.datatypes.systems import UCUM, system
from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition, Segment
from fhir_server.fhirjson import Resource
from terminology.service import translate

DAY: Resource = {"unit": "日", "system": UCUM, "code": "d"}


class Coded(NamedTuple):
    """A code, what it is called, and the name of its system in the message."""

    code: str
    display: str
    name: str


def only(segment: Segment, number: int) -> Repetition:
    """Returns the first repetition of a field, an empty one where nothing was sent."""
    return next(iter(segment[number].repetitions), Repetition("", segment.separators))


def coded(repetition: Repetition) -> Coded:
    """Returns a CWE in the components of a field: RXE-5."""
    return Coded(clean(repetition[1]), clean(repetition[2]), clean(repetition[3]))


def coded_within(repetition: Repetition, component: int) -> Coded:
    """Returns a CWE in the subcomponents of a component: the unit of a CQ, the pattern of an RPT."""
    return Coded(*(clean(repetition.sub(component, one)) for one in (1, 2, 3)))


def coding(given: Coded, scope: Scope) -> Resource:
    """Returns the Coding; without a system where the message names none."""
    uri = {"system": system(given.name, given.code, scope)} if given.name else {}
    return {**uri, "code": given.code, **({"display": given.display} if given.display else {})}


def concept(given: Coded, scope: Scope) -> Resource | None:
    """Returns the CodeableConcept, its text as the sender called it; None where nothing was sent."""
    if not given.code and not given.display:
        return None
    known = {"coding": [coding(given, scope)]} if given.code else {}
    return {**known, **({"text": given.display} if given.display else {})}


def quantity(value: str, unit: Coded, scope: Scope) -> Resource | None:
    """Returns the Quantity; None where there is no number, with a note where there is something else."""
    amount = number(value)
    if amount is None:
        if value.strip():
            scope.note("This is no number.")
        return None
    return {"value": amount, **_unit(unit, scope)}


def _unit(unit: Coded, scope: Scope) -> Resource:
    """A code without a system would say nothing (FHIR qty-3), so such a unit is text."""
    shown = {"unit": unit.display or unit.code} if unit.display or unit.code else {}
    if unit.code and unit.name:
        return {**shown, "system": system(unit.name, unit.code, scope), "code": unit.code}
    known = translate("unit", unit.code) if unit.code else None
    return {**shown, "system": known.system, "code": known.code} if known else shown
