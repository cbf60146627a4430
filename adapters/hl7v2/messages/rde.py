"""RDE^O11, pharmacy/treatment encoded order → one MedicationRequest for each RXE. HL7 v2.5 4.13.8; SS-MIX2 OMP-01."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from adapters.facility import Facility
from adapters.hl7v2.datatypes import cwe, ei, ts, xcn
from adapters.hl7v2.datatypes.dose import only
from adapters.hl7v2.datatypes.systems import MHLW
from adapters.hl7v2.fields import Field, Scope, elements, first, leftover, numbers
from adapters.hl7v2.messages.statement import record, scope_of, stubs, subject, unread
from adapters.hl7v2.messages.visit import visit
from adapters.hl7v2.parse import Message, Repetition, Segment
from adapters.hl7v2.segments import rxc, rxe, rxr, tq1
from adapters.hl7v2.structures import Group, group
from adapters.identity import reference, resource_id
from adapters.record import Entry, Record, Unmappable, When
from fhir_server.fhirjson import Resource
from terminology.service import translate

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_MedicationRequest"
RP_NUMBER = f"{MHLW}IdSystem/Medication-RPGroupNumber"
ORDER_IN_RP = f"{MHLW}IdSystem/MedicationAdministrationIndex"
INSTANCE = "http://jpfhir.jp/fhir/core/IdSystem/resourceInstance-identifier"
PRESCRIPTION = "urn:oid:1.2.392.100495.20.3.11"
DEPARTMENT = "http://jpfhir.jp/fhir/eCS/Extension/StructureDefinition/JP_eCS_Department"

# A prescription number of the whole country: day and 16 characters.
_COMMON = re.compile(r"\d{8}-[0-9A-Za-z]{16}")
# Those whose numbers JP Core's invariant jp-inv-local-prescriptionid lets into the series of a facility.
_PREFECTURES = re.compile(r"(0[1-9]|[1-3]\d|4[0-7])\d{8}")
_GROUP = re.compile(r"(?:[^_]*_)?0*(\d{1,3})(?:_0*(\d+))?")
NEW = "NW"


def department(repetition: Repetition, scope: Scope) -> Resource | None:
    """ORC-17 as the extension that says which department ordered."""
    found = cwe.codeable_concept(repetition, scope)
    return {"url": DEPARTMENT, "valueCodeableConcept": found} if found else None


ORDER = (
    Field("ORC-3", "identifier[]", ei.filler, first),
    Field("ORC-9", "authoredOn", ts.date_time, first),
    Field("ORC-10", "recorder", xcn.practitioner, xcn.persons),
    Field("ORC-12", "requester", xcn.practitioner, xcn.persons),
    Field("ORC-16", "statusReason", cwe.codeable_concept, first),
    Field("ORC-17", "extension[]", department, first),
    Field("ORC-29", "category[]", cwe.table("0482"), first),
)
# Status and numbers are read below; 21 to 23 say again who the facility is.
_ORC = numbers(ORDER, 1, 2, 4, 5, 21, 22, 23)
_RXE = numbers(rxe.MEDICATION_REQUEST, *rxe.READ)
_TQ1 = numbers(tq1.DOSAGE, tq1.MEDICATION_REQUEST, *tq1.READ, 1)
_RXR = numbers(rxr.DOSAGE)
_RXC = numbers(*rxc.READ)


# PV1, AL1 and IN1 are copies made at the time of the order, and own nothing.
READ = frozenset(
    {("", "MSH"), ("PATIENT", "PID"), ("PATIENT", "AL1"), ("PATIENT_VISIT", "PV1"), ("INSURANCE", "IN1")}
    | {("ORDER", name) for name in ("ORC", "RXE", "RXR", "RXC", "NTE")}
    | {("TIMING", "TQ1"), ("TIMING_ENCODED", "TQ1")}
)


def to_records(message: Message, facility: Facility, complete: bool = False) -> list[Record]:
    """Returns one Record for each order number, with a stub of the patient.

    complete  the message lists all drugs of its orders, whatever ORC-1 says: it comes from a storage
    Raises Unmappable without PID or drug, and where it is not said which drug of an order is changed.
    """
    scope = scope_of(message, facility)
    patient = subject(message.first("PID"), scope)
    whole = group(message)
    drugs = prescriptions(message, whole, complete)
    if not drugs:
        raise Unmappable("There is no drug.", "RXE")
    encounter = visit(message, patient, scope)
    about = {"subject": reference(patient), **({"encounter": reference(encounter)} if encounter else {})}
    known = [*stubs(patient, scope), *([Entry(encounter, When.ABSENT)] if encounter else [])]
    entries = {drug.order: [*known] for drug in drugs}
    for drug in drugs:
        entries[drug.order].append(Entry(medication_request(drug, patient, about, scope)))
        _note_leftovers(drug, scope)
    unread(whole, READ, scope)
    return [record(message, ("OMP-01", patient["id"], order), found, scope) for order, found in entries.items()]


@dataclass(frozen=True)
class Prescription:
    """One drug of an order: Rp groups the drugs that are taken alike, `index` is its place in the Rp."""

    group: Group
    orc: Segment
    rxe: Segment
    order: str
    rp: str
    index: int

    @property
    def timings(self) -> list[Segment]:
        """TQ1 after RXE; TQ1 before it speaks of the order as it was asked for, and counts where nothing else does."""
        encoded = self.group.find("TIMING_ENCODED") or self.group.find("TIMING")
        return [one for each in encoded for one in each.all("TQ1")]


def medication_request(drug: Prescription, patient: Resource, about: Resource, scope: Scope) -> Resource:
    """Returns the MedicationRequest of one RXE; `about` holds its references to patient and encounter."""
    ordered, encoded = elements(drug.orc, ORDER, scope), elements(drug.rxe, rxe.MEDICATION_REQUEST, scope)
    key = (patient["id"], drug.order, drug.rp, str(drug.index))
    found: Resource = {
        "resourceType": "MedicationRequest",
        "id": resource_id("MedicationRequest", scope.facility.number, *key),
        **ordered,
        **encoded,
        **({"requester": ordered["requester"]} if "requester" in ordered else {}),
        "identifier": [*_identifiers(drug, scope), *ordered.get("identifier", ())],
        "category": [*ordered.get("category", ()), *encoded.get("category", ())],
        "status": _status(drug.orc, scope),
        "intent": "order",
        **about,
        **_medication(drug, encoded, scope),
        **_group_identifier(drug, scope),
        "dosageInstruction": _dosage(drug, scope),
        "dispenseRequest": {**encoded.get("dispenseRequest", {}), **_dispense(drug, scope)},
        "note": _notes(drug),
    }
    for timing in drug.timings:
        found |= elements(timing, tq1.MEDICATION_REQUEST, scope)
    found = {name: value for name, value in found.items() if value}
    return {**found, "meta": {"profile": [PROFILE]}} if _conforms(found) else found


def prescriptions(message: Message, whole: Group, complete: bool) -> list[Prescription]:
    """Returns the drugs of all orders in the message, in order; an order without an RXE has no drug."""
    together: dict[tuple[str, str], list[Prescription]] = {}
    for one in whole.find("ORDER"):
        orc, encoded = one.first("ORC"), one.first("RXE")
        if orc is None or encoded is None:
            continue
        drug = Prescription(one, orc, encoded, _order_number(message, one, orc, encoded), _rp_number(orc), index=0)
        together.setdefault((drug.order, drug.rp), []).append(drug)
    counted = (drug for of_rp in together.values() for drug in _counted(of_rp, complete))
    return sorted(counted, key=lambda drug: drug.orc.number)


def _counted(drugs: Sequence[Prescription], complete: bool) -> list[Prescription]:
    """Gives the drugs of one Rp their places: the sender's own; else, where all are there, in the order they stand."""
    stated = [_place(drug.orc) for drug in drugs]
    if all(stated) and len(set(stated)) == len(drugs):
        return [replace(drug, index=place) for drug, place in zip(drugs, stated)]
    changing = [drug.orc for drug in drugs if drug.orc[1].text != NEW]
    if changing and not complete:
        raise Unmappable("Which drug of the order this changes is not said.", changing[0].place(4))
    return [replace(drug, index=place) for place, drug in enumerate(drugs, 1)]


def _place(orc: Segment) -> int:
    """The third part of `order_02_001`, which counts the drugs of the Rp; 0 for none."""
    found = _GROUP.fullmatch(orc[4][1])
    return int(found[2] or 0) if found else 0


def _order_number(message: Message, order: Group, orc: Segment, encoded: Segment) -> str:
    """ORC-2, else ORC-3, else the prescription's, else the message's; an order without any is known by its content."""
    given = (orc[2][1], orc[3][1], encoded[15].text, message.control)
    content = sha256("\r".join("|".join(one.fields) for one in order.segments).encode()).hexdigest()
    return next((one.strip() for one in given if one.strip()), content[:32])


def _rp_number(orc: Segment) -> str:
    """The second part of `order_02_001`, or a short number alone; any other ORC-4 is no Rp number."""
    found = _GROUP.fullmatch(orc[4][1])
    return found[1] if found else "1"


def _identifiers(drug: Prescription, scope: Scope) -> list[Resource]:
    local = f"{PRESCRIPTION}.1{scope.facility.number}"
    series = local if _PREFECTURES.fullmatch(scope.facility.number) else scope.local("order")
    found = [
        {"system": RP_NUMBER, "value": drug.rp},
        {"system": ORDER_IN_RP, "value": str(drug.index)},
        {"system": INSTANCE, "value": f"{scope.facility.number}.{drug.order}.{drug.rp}.{drug.index}"},
    ]
    placed, number = drug.orc[2][1].strip(), drug.rxe[15].text.strip()
    if placed:
        found.append({"system": series, "value": placed})
    if number and number != placed:
        found.append({"system": PRESCRIPTION if _COMMON.fullmatch(number) else series, "value": number})
    return found


def _group_identifier(drug: Prescription, scope: Scope) -> Resource:
    """ORC-4 where it names the orders that belong together, and not the Rp."""
    given = only(drug.orc, 4)
    if _GROUP.fullmatch(given[1]):
        return {}
    found = ei.numbered("group")(given, scope.at(drug.orc, 4))
    return {"groupIdentifier": found} if found else {}


def _conforms(found: Resource) -> bool:
    """JP_MedicationRequest needs a time, one drug by its codes, and codes for the units of all its amounts."""
    rates = [rate for one in found.get("dosageInstruction", ()) for rate in one.get("doseAndRate", ())]
    amounts = [found.get("dispenseRequest", {}).get("quantity"), *(one.get("doseQuantity") for one in rates)]
    coded = all("code" in one for one in amounts if one)
    return coded and "authoredOn" in found and "medicationCodeableConcept" in found


def _status(orc: Segment, scope: Scope) -> str:
    """ORC-1 says what shall be done; how far it has come (ORC-5) counts as long as that is nothing else."""
    control, state = orc[1].text, orc[5].text
    asked, reached = translate("medication-order-control", control), translate("medication-order-status", state)
    if asked and asked.code != "active":
        return asked.code
    if not asked and not reached and (control or state):
        scope.at(orc, 1).note("The control code is not in the map medication-order-control.")
    return reached.code if reached else asked.code if asked else "unknown"


def _medication(drug: Prescription, encoded: Resource, scope: Scope) -> Resource:
    """The drug by its codes; a mixture (RXC) is a contained Medication with its ingredients."""
    named = encoded.get("medicationCodeableConcept")
    if not named:
        raise Unmappable("There is no drug.", drug.rxe.place(2))
    codings = [*named.get("coding", ()), *rxe.further_codings(drug.rxe, scope)]
    concept = {**named, **({"coding": codings} if codings else {})}
    components = drug.group.all("RXC")
    if not components:
        return {"medicationCodeableConcept": concept}
    ingredients = [rxc.ingredient(one, position, scope) for position, one in enumerate(components, 1)]
    form = cwe.codeable_concept(only(drug.rxe, 6), scope.at(drug.rxe, 6))
    mixture: Resource = {"resourceType": "Medication", "id": "medication", "code": concept, "status": "active"}
    mixture |= {**({"form": form} if form else {}), "ingredient": ingredients}
    return {"contained": [mixture], "medicationReference": {"reference": "#medication"},
            "medicationCodeableConcept": None}


def _dosage(drug: Prescription, scope: Scope) -> list[Resource]:
    timings: list[Segment | None] = [*drug.timings]
    return [found for one in timings or [None] if (found := _instruction(drug, one, scope))]


def _instruction(drug: Prescription, timing: Segment | None, scope: Scope) -> Resource:
    """Returns one Dosage: how (RXR), when (TQ1), how much (RXE)."""
    routes = drug.group.all("RXR")
    amount = rxe.dose(drug.rxe, timing is None or tq1.equal_doses(timing), scope)
    found = elements(routes[0], rxr.DOSAGE, scope) if routes else {}
    more = [*found.get("additionalInstruction", ()), *rxe.additional_instructions(drug.rxe, scope)]
    told = rxe.patient_instruction(drug.rxe, scope)
    needed = rxe.as_needed(drug.rxe)
    if timing:
        found, needed = _timed(found, timing, amount, scope), needed or tq1.as_needed(timing)
        more = [*tq1.supplements(timing, scope), *found.get("additionalInstruction", ()), *more]
        told = "　".join(filter(None, (found.get("patientInstruction"), told)))
    found |= {"additionalInstruction": more, "patientInstruction": told, "asNeededBoolean": needed, **amount}
    return {name: value for name, value in found.items() if value}


def _timed(found: Resource, timing: Segment, amount: Resource, scope: Scope) -> Resource:
    usual = {"method": tq1.method(timing)} if "method" not in found else {}
    return {
        "extension": tq1.extensions(timing, scope),
        "text": tq1.sentence(timing, amount, scope),
        "timing": tq1.timing(timing, scope),
        **found,
        **usual,
        **elements(timing, tq1.DOSAGE, scope),
    }


def _dispense(drug: Prescription, scope: Scope) -> Resource:
    lasts = next((found for one in drug.timings if (found := tq1.days(one))), None)
    doses = next((many for one in drug.timings if (many := tq1.doses(one))), None)
    url = f"{rxe.EXTENSION}JP_MedicationRequest_DispenseRequest_ExpectedRepeatCount"
    repeated = [{"url": url, "valueInteger": doses}] if doses else []
    found = {
        "extension": [*rxe.dispensing_instructions(drug.rxe, scope), *repeated],
        "quantity": rxe.dispense_quantity(drug.rxe, scope),
        "expectedSupplyDuration": lasts,
    }
    return {name: value for name, value in found.items() if value}


def _notes(drug: Prescription) -> list[Resource]:
    texts = [rxe.strength(drug.rxe), *(one[3].text for one in drug.group.all("NTE"))]
    return [{"text": one} for one in texts if one.strip()]


def _note_leftovers(drug: Prescription, scope: Scope) -> None:
    """What this drug's segments hold beyond what was read; its form has a place in a mixture only."""
    components = drug.group.all("RXC")
    leftover(drug.orc, _ORC, scope)
    leftover(drug.rxe, _RXE if components else _RXE - {6}, scope)
    for one in drug.timings:
        leftover(one, _TQ1, scope)
    for position, one in enumerate(drug.group.all("RXR")):
        leftover(one, _RXR if position == 0 else frozenset(), scope)
    for one in components:
        leftover(one, _RXC, scope)
