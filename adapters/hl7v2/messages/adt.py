"""ADT^A01, A03, A04, A08 → Patient, Encounter, Coverage, AllergyIntolerance, Condition, Observation.

HL7 v2.5 3.3.1, 3.3.3, 3.3.4, 3.3.8; SS-MIX2 ADT-00, ADT-12, ADT-22, ADT-52.
"""

from collections.abc import Iterator

from adapters.facility import Facility
from adapters.hl7v2.datatypes import ts
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.messages.statement import custodian, organization, record, scope_of, subject, unread
from adapters.hl7v2.parse import Message, Segment
from adapters.hl7v2.segments import al1, dg1, in1, obx, pid, pv1
from adapters.hl7v2.structures import group
from adapters.identity import Names, reference
from adapters.record import Entry, Record, Unmappable, When
from fhir_server.fhirjson import Resource
from terminology.service import translate

READ = frozenset(
    {("", name) for name in ("MSH", "SFT", "EVN", "PID", "PD1", "NK1", "PV1", "PV2", "DB1", "OBX", "AL1", "DG1")}
    | {("INSURANCE", "IN1")}
)
DISCHARGE, UPDATE = "A03", "A08"
# Of the events that begin an encounter; what happened, else what was recorded (EVN-6, EVN-2) is its beginning.
BEGINNINGS = frozenset(("A01", "A04"))

MEASUREMENT_PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_BodyMeasurement"
COMMON_PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_Common"


def to_records(message: Message, facility: Facility) -> list[Record]:
    """Returns one Record: the Patient as this message has him, and what else it says about him.

    Raises Unmappable without a patient number, and for a discharge that names no stay.
    """
    scope = scope_of(message, facility)
    patient = _patient(message, scope)
    entries = [Entry(organization(facility), When.ABSENT), Entry(patient), *_about(message, patient, scope)]
    unread(group(message), READ, scope)
    return [record(message, ("ADT", patient["id"]), entries, scope)]


def _patient(message: Message, scope: Scope) -> Resource:
    stated = subject(message.first("PID"), scope)
    physician = message.first("PD1")
    contacts = pid.contacts(message.all("NK1"), scope)
    disabilities = pid.disabilities(message.all("DB1"), scope)
    return {
        **stated,
        **({"extension": disabilities} if disabilities else {}),
        **({"contact": contacts} if contacts else {}),
        **(pid.physicians(physician, scope) if physician else {}),
    }


def _about(message: Message, patient: Resource, scope: Scope) -> Iterator[Entry]:
    encounter = _encounter(message, patient, scope)
    conditions = [(one, dg1.condition(one, patient, encounter, scope)) for one in message.all("DG1")]
    diagnoses = [dg1.diagnosis(segment, stated) for segment, stated in conditions if stated]
    if encounter:
        yield Entry({**encounter, **({"diagnosis": diagnoses} if diagnoses else {})}, When.MERGED, owned=False)
    yield from (Entry(stated) for _, stated in conditions if stated)
    yield from (Entry(stated) for one in message.all("AL1") if (stated := al1.allergy(one, patient, scope)))
    yield from (Entry(stated) for one in message.all("IN1") if (stated := in1.coverage(one, patient, scope)))
    names = Names(scope.facility.number)
    yield from (Entry(_observation(one, patient, names, scope)) for one in message.all("OBX"))


def _observation(segment: Segment, patient: Resource, names: Names, scope: Scope) -> Resource:
    """An OBX beside a patient: height, blood group. The newest of a kind and time counts."""
    stated = obx.observation(segment, scope)
    measured = obx.measured(stated)
    return {
        "resourceType": "Observation",
        "id": names.id("Observation", patient["id"], *obx.key(segment, stated)),
        **_kind(stated, measured is not None),
        **stated,
        **({"code": measured} if measured else {}),
        "subject": reference(patient),
    }


def _kind(stated: Resource, measured: bool) -> Resource:
    if measured:
        return {"meta": {"profile": [MEASUREMENT_PROFILE]}, "category": [obx.category(obx.MEASUREMENT_CATEGORY)]}
    if obx.is_jlac10(stated):
        return {"meta": {"profile": [COMMON_PROFILE]}, "category": [obx.category(obx.LABORATORY)]}
    return {}


def _encounter(message: Message, patient: Resource, scope: Scope) -> Resource | None:
    """Returns the Encounter in the status that the event gives it."""
    happened = _happened(message, scope)
    begin = happened if message.event in BEGINNINGS else ""
    found = pv1.encounter(message, patient, begin, scope)
    if found is None and message.event == DISCHARGE:
        raise Unmappable("The discharge names no stay: no visit number, no admission time.", "PV1-19")
    if found is None:
        return None
    encounter = {**found, "status": _status(message, found), "serviceProvider": custodian(scope)}
    return _discharged(encounter, happened) if encounter["status"] == "finished" else encounter


def _happened(message: Message, scope: Scope) -> str:
    """EVN-6 (occurred), else EVN-2 (recorded), else ""."""
    event = message.first("EVN")
    times = (ts.stated(event[number][1], scope.at(event, number)) for number in (6, 2)) if event else ()
    return next((one for one in times if one), "")


def _status(message: Message, found: Resource) -> str:
    """A discharge time says finished whatever the event; an A08 changes nothing and takes the usual of the class."""
    if "end" in found.get("period", {}):
        return "finished"
    segment = message.first("PV1")
    target = translate("event-status", message.event)
    if not target and segment is not None:
        target = translate("patient-class-status", segment[2][1])
    return target.code if target else "unknown"


def _discharged(encounter: Resource, happened: str) -> Resource:
    """Nothing goes on after the end, which is PV1-45, else the time of the event."""
    end = encounter.get("period", {}).get("end") or happened
    period = {**encounter.get("period", {}), **({"end": end} if end else {})}
    left = [{**one, "status": "completed"} for one in encounter.get("location", ())]
    return {**encounter, **({"period": period} if period else {}), **({"location": left} if left else {})}
