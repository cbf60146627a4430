"""PV1, PV2 → Encounter. HL7 v2.5 3.4.3, 3.4.4; JP Core JP_Encounter."""

from collections.abc import Callable, Sequence
from operator import itemgetter

from adapters.hl7v2.datatypes import cwe, cx, ei, pl, ts, xcn
from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Field, Reader, Scope, elements, first, leftover, numbers
from adapters.hl7v2.parse import Message, Repetition, Segment
from adapters.identity import resource_id
from fhir_server.fhirjson import Resource
from terminology.service import translate

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Encounter"
PARTICIPATION = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
UNKNOWN_CLASS = {"system": "http://terminology.hl7.org/CodeSystem/v3-NullFlavor", "code": "UNK"}


def patient_class(repetition: Repetition, scope: Scope) -> Resource | None:
    code = clean(repetition[1])
    target = translate("patient-class", code) if code else None
    return dict(target._asdict()) if target else None


def participant(type: str) -> Reader:
    """Returns a reader of a person who takes part in the encounter as `type`."""

    def read(repetition: Repetition, scope: Scope) -> Resource | None:
        individual = xcn.practitioner(repetition, scope)
        kind = {"coding": [{"system": PARTICIPATION, "code": type}]}
        return {"type": [kind], "individual": individual} if individual else None

    return read


def located(status: str) -> Reader:
    """Returns a reader of Encounter.location in that status."""

    def read(repetition: Repetition, scope: Scope) -> Resource | None:
        place = pl.location(repetition, scope)
        return {"location": place, "status": status} if place else None

    return read


def destination(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads DLD: a code of table 0113, or a name."""
    display = repetition[2] or repetition[1]
    return {"type": "Location", "display": display} if display else None


visit_number = ei.numbered("visit", "VN")

ENCOUNTER = (
    Field("PV1-19", "identifier[]", visit_number, first),
    Field("PV1-50", "identifier[]", cx.identifier),
    Field("PV1-2", "class", patient_class, first),
    Field("PV1-4", "type[]", cwe.table("0007")),
    Field("PV1-18", "type[]", cwe.table("0018")),
    Field("PV1-10", "serviceType", cwe.table("0069"), first),
    Field("PV1-7", "participant[]", participant("ATND"), xcn.persons),
    Field("PV1-8", "participant[]", participant("REF"), xcn.persons),
    Field("PV1-9", "participant[]", participant("CON"), xcn.persons),
    Field("PV1-17", "participant[]", participant("ADM"), xcn.persons),
    Field("PV1-52", "participant[]", participant("PART"), xcn.persons),
    Field("PV1-44", "period.start", ts.date_time),
    Field("PV1-45", "period.end", ts.date_time),
    Field("PV1-5", "hospitalization.preAdmissionIdentifier", ei.numbered("preadmission"), first),
    Field("PV1-14", "hospitalization.admitSource", cwe.table("0023")),
    Field("PV1-13", "hospitalization.reAdmission", cwe.table("0092")),
    Field("PV1-38", "hospitalization.dietPreference[]", cwe.table("0114")),
    Field("PV1-16", "hospitalization.specialCourtesy[]", cwe.table("0099")),
    Field("PV1-15", "hospitalization.specialArrangement[]", cwe.table("0009")),
    Field("PV1-37", "hospitalization.destination", destination),
    Field("PV1-36", "hospitalization.dischargeDisposition", cwe.table("0112")),
    Field("PV1-6", "location[]", located("completed")),
    Field("PV1-42", "location[]", located("reserved")),
    Field("PV1-3", "location[]", located("active")),
)
ENCOUNTER_KNOWN = numbers(ENCOUNTER, 1)

REASON = (
    Field("PV2-3", "reasonCode[]", cwe.codeable_concept),
    Field("PV2-13", "participant[]", participant("REF"), xcn.persons),
)
REASON_KNOWN = numbers(REASON)


def encounter(message: Message, patient: Resource, begin: str, scope: Scope) -> Resource | None:
    """Returns the Encounter of PV1 and PV2, its status left to the event; None, noted, for none that can be named.

    One stay is one Encounter, however many messages speak of it: named by the visit number (PV1-19), else by patient,
    class and time of admission (PV1-44). `begin` is a time that stands for PV1-44 where that is empty.
    """
    segment = message.first("PV1")
    if segment is None:
        return None
    found = _elements(message, segment, scope)
    start = found.get("period", {}).get("start") or begin
    visit = segment[19][1].strip()
    if not visit and not start:
        scope.at(segment, 19).note("Without visit number and admission time this names no encounter.")
        return None
    kind = found.get("class", UNKNOWN_CLASS)
    key = ("visit", visit) if visit else ("stay", patient["id"], kind["code"], start[:16])
    period = {"period": {"start": start, **found.get("period", {})}} if start else {}
    return {
        "resourceType": "Encounter",
        "id": resource_id("Encounter", scope.facility.number, *key),
        "meta": {"profile": [PROFILE]},
        **found,
        "class": kind,
        "subject": {"reference": f"Patient/{patient['id']}"},
        **period,
    }


def _elements(message: Message, segment: Segment, scope: Scope) -> Resource:
    leftover(segment, ENCOUNTER_KNOWN, scope)
    found = elements(segment, ENCOUNTER, scope)
    reason = message.first("PV2")
    if reason is None:
        return found
    leftover(reason, REASON_KNOWN, scope)
    more = elements(reason, REASON, scope)
    people = [*found.get("participant", ()), *more.get("participant", ())]
    return {**found, **more, **({"participant": people} if people else {})}


Sameness = Callable[[Resource], object]

# How far a stay has come; nothing that arrives late reopens it.
STAGES = {"unknown": 0, "planned": 1, "arrived": 2, "triaged": 2, "in-progress": 3, "onleave": 3, "finished": 4}
ENDED = frozenset(("finished", "cancelled", "entered-in-error"))


def merge_encounter(earlier: Resource, later: Resource) -> Resource:
    """Returns one stay as two events state it, in the order in which they happened.

    The later event wins element by element; what it does not say stays. A stay that has ended stays ended.
    """
    status = max(earlier["status"], later["status"], key=lambda one: STAGES.get(one, 5))
    joined: Resource = {**earlier, **later, "status": status}
    for name in ("period", "hospitalization"):
        joined[name] = {**earlier.get(name, {}), **later.get(name, {})}
    for name, same in _SAME.items():
        joined[name] = _joined(earlier.get(name, ()), later.get(name, ()), same)
    joined["location"] = _locations(earlier, later, status)
    return {name: value for name, value in joined.items() if value}


def _joined(earlier: Sequence[Resource], later: Sequence[Resource], same: Sameness) -> list[Resource]:
    """What the later event does not speak of, and what it says."""
    spoken = [same(one) for one in later]
    return [*(one for one in earlier if same(one) not in spoken), *later]


# What makes two entries of a list speak of the same thing.
_SAME: dict[str, Sameness] = {
    "identifier": lambda one: (one.get("system"), one.get("value")),
    "participant": itemgetter("type"),
    "diagnosis": itemgetter("condition"),
}


def _locations(earlier: Resource, later: Resource, status: str) -> list[Resource]:
    """Where the later event has the patient somewhere else, he has left where he was; at the end, everywhere."""
    here = later.get("location", ())
    before = _joined(earlier.get("location", ()), here, itemgetter("location"))[: -len(here) or None]
    left = [{**one, "status": "completed"} if here and one["status"] == "active" else one for one in before]
    stays = [*left, *here]
    return [{**one, "status": "completed"} if status in ENDED else one for one in stays]
