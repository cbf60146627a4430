"""Results, the same from ORU^R01 and OUL^R22 → DiagnosticReport, Observation, Specimen, ServiceRequest.

A result is one resource however it comes: it is named by facility, patient, order number, specimen, test, sub-id and
time of observation. HL7 v2.5 7.3.1, 7.3.7; SS-MIX2 OML-11.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapters.hl7v2.datatypes import cwe, ed
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.messages.statement import record, stubs, subject
from adapters.hl7v2.messages.visit import visit
from adapters.hl7v2.parse import Message, Segment
from adapters.hl7v2.segments import nte, obr, obx, orc, spm
from adapters.hl7v2.structures import Group
from adapters.identity import Names, reference
from adapters.record import Entry, Note, Record, When
from fhir_server.fhirjson import Resource

OBSERVATION_PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_LabResult"
# What JP_Observation_LabResult demands beyond the base; an Observation without it does not claim to conform.
DEMANDED = ("specimen", "effectiveDateTime")
VALUES = frozenset(("valueQuantity", "valueCodeableConcept", "valueString", "dataAbsentReason"))


@dataclass(frozen=True)
class Order:
    """One OBR with what belongs to it.

    results     groups of an OBX and its NTE
    laboratory  the message is one of laboratories
    """

    request: Segment
    control: Segment | None
    comments: Sequence[Segment]
    results: Sequence[Group]
    specimen: Segment | None
    laboratory: bool

    @cached_property
    def number(self) -> str:
        """The placer's number, else the filler's: OBR-2, ORC-2, OBR-3, ORC-3; "" where none is stated."""
        given = [segment[at][1].strip() for at in (2, 3) for segment in (self.request, self.control) if segment]
        return next((one for one in given if one), "")

    @cached_property
    def name(self) -> tuple[str, str, str]:
        """What names all its results: order, specimen, and the parent result (OBR-26) of a susceptibility."""
        return self.number, spm.number(self.specimen), self.request[26].text if self.request[26] else ""

    @property
    def values(self) -> list[Group]:
        return [one for one in self.results if not _document(one)]

    @property
    def documents(self) -> list[Segment]:
        return [_obx(one) for one in self.results if _document(one)]


@dataclass(frozen=True)
class About:
    """What all orders of a message have in common.

    control    MSH-10: names results that have neither number nor time
    encounter  a reference, where the message names one
    """

    patient: Resource
    control: str
    scope: Scope
    names: Names
    encounter: Resource | None = None

    def id(self, type: str, *key: str) -> str:
        return self.names.id(type, self.patient["id"], *key)


def order(whole: Group, name: str, specimen: Segment | None, laboratory: bool, scope: Scope) -> Order | None:
    """Returns the order of a group whose results are groups of that name; None, noted, for one without OBR and OBX."""
    results = [one for one in whole.find(name) if one.first("OBX")]
    request = whole.first("OBR")
    if request is None and not results:
        scope.notes.extend(Note(one.name, "There is neither OBR nor OBX with this segment.") for one in whole.segments)
        return None
    request = request or Segment("OBR", 0, ("OBR",), _obx(results[0]).separators)
    return Order(request, whole.first("ORC"), whole.all("NTE"), results, specimen, laboratory)


def to_record(message: Message, segment: Segment | None, orders: Sequence[Order], scope: Scope) -> Record:
    """Returns the Record of the orders of one patient. Raises Unmappable without a patient number."""
    patient = subject(segment, scope)
    encounter = visit(message, patient, scope)
    names = Names(scope.facility.number)
    about = About(patient, message.control, scope, names, reference(encounter) if encounter else None)
    stay = [Entry(encounter, When.ABSENT)] if encounter else []
    found = [*stubs(patient, scope), *stay, *entries(orders, about)]
    number = next((one.number for one in orders if one.number), message.control)
    return record(message, ("result", patient["id"], number), found, scope)


def entries(orders: Sequence[Order], about: About) -> list[Entry]:
    """Returns for each order its report, its results, its specimen and the order that was placed; each thing once."""
    found = [entry for order in orders for entry in _entries(order, about)]
    return [*_once(found, "Specimen"), *_requests(found), *(one for one in found if one.when is When.MERGED)]


def _entries(order: Order, about: About) -> Iterator[Entry]:
    specimen, request = _specimen(order, about), _request(order, about)
    report = obr.report(order.request, _laboratory(order, specimen is not None), about.scope)
    collected = _collected(report, specimen)
    shared = {**collected, **_references(about, request, specimen)}
    observations = [_observation(one, order, about, shared) for one in order.values]
    yield from (Entry(one) for one in (specimen, request) if one)
    yield from (Entry(one, When.MERGED) for one in observations)
    yield Entry(_report({**report, **collected, **shared}, order, about, observations), When.MERGED)


def _once(found: Sequence[Entry], type: str) -> list[Entry]:
    return list({one.resource["id"]: one for one in found if one.resource["resourceType"] == type}.values())


def _requests(found: Sequence[Entry]) -> Iterator[Entry]:
    """One order may have several OBR: then its code is all their names."""
    for entry in _once(found, "ServiceRequest"):
        same = [one.resource for one in found if one.resource["id"] == entry.resource["id"]]
        names = dict.fromkeys(one["code"].get("text", cwe.key(one["code"])) for one in same if "code" in one)
        joined = {"code": {"text": "、".join(names)}} if len(names) > 1 else {}
        yield Entry({**entry.resource, **joined})


def _specimen(order: Order, about: About) -> Resource | None:
    if order.specimen is not None:
        return spm.specimen(order.specimen, order.number, about.patient, about.scope)
    return spm.source(order.request, order.number, about.patient, about.scope)


def _request(order: Order, about: About) -> Resource | None:
    found = None
    if order.control is not None:
        found = orc.service_request(order.control, order.request, order.comments, about.patient, about.scope)
    if found is None:
        for segment, at in (*((one, 3) for one in order.comments), (order.request, 16)):
            if segment[at]:
                about.scope.at(segment, at).note("There is no order that could carry this.")
    return found


def _laboratory(order: Order, specimen: bool) -> bool:
    """Whether it is a laboratory's: by the message, else by its section (OBR-24), else for it has a specimen."""
    section = order.request[24][1]
    return order.laboratory or (section in obr.LABORATORY_SECTIONS if section else specimen)


def _references(about: About, request: Resource | None, specimen: Resource | None) -> Resource:
    return {
        **({"basedOn": [reference(request)]} if request else {}),
        "subject": reference(about.patient),
        **({"encounter": about.encounter} if about.encounter else {}),
        **({"specimen": reference(specimen)} if specimen else {}),
    }


def _collected(report: Resource, specimen: Resource | None) -> Resource:
    """The time of collection: of the specimen, else of the OBR."""
    collection = specimen.get("collection", {}) if specimen else {}
    start = collection.get("collectedDateTime") or collection.get("collectedPeriod", {}).get("start")
    start = start or report.get("effectivePeriod", {}).get("start") or report.get("effectiveDateTime")
    return {"effectiveDateTime": start} if start else {}


def _key(order: Order, about: About, timed: bool) -> tuple[str, str, str]:
    """Without number and time only the message itself tells its results from those of another."""
    number, specimen, parent = order.name
    return number or ("" if timed else f"{about.control}#{order.request.number}"), specimen, parent


def _observation(result: Group, order: Order, about: About, shared: Resource) -> Resource:
    segment = _obx(result)
    stated = obx.observation(segment, about.scope)
    found: dict[str, Any] = {**shared, **stated}
    key = (*_key(order, about, "effectiveDateTime" in found), *obx.key(segment, found))
    laboratory = _laboratory(order, "specimen" in shared) or obx.is_jlac10(found)
    comment = nte.annotation(result.all("NTE"))
    return {
        "resourceType": "Observation",
        "id": about.id("Observation", *key),
        **({"meta": {"profile": [OBSERVATION_PROFILE]}} if laboratory and _conforms(found) else {}),
        **({"category": [obx.category(obx.LABORATORY)]} if laboratory else {}),
        **found,
        **({"note": comment} if comment else {}),
    }


def _conforms(found: Resource) -> bool:
    return all(one in found for one in DEMANDED) and "coding" in found["code"] and bool(VALUES & found.keys())


def _report(stated: Resource, order: Order, about: About, observations: Sequence[Resource]) -> Resource:
    key = (*_key(order, about, "effectiveDateTime" in stated), cwe.key(obr.test(order.request, about.scope)))
    status = obr.status(order.request, order.control, [one["status"] for one in observations], about.scope)
    documents = [one for segment in order.documents for one in _attachments(segment, about.scope)]
    return {
        "resourceType": "DiagnosticReport",
        "id": about.id("DiagnosticReport", *key),
        **_effective(stated),
        "status": status,
        **({"specimen": [stated["specimen"]]} if "specimen" in stated else {}),
        **({"result": [reference(one) for one in observations]} if observations else {}),
        **({"presentedForm": documents} if documents else {}),
    }


def _effective(stated: Resource) -> Resource:
    """A report has a time or a period."""
    return {name: one for name, one in stated.items() if name != "effectiveDateTime" or "effectivePeriod" not in stated}


def _document(result: Group) -> bool:
    """Whether a result encloses a document: that belongs to the report, for an R4 Observation has no Attachment."""
    return _obx(result)[2].text in obx.ATTACHMENTS


def _obx(result: Group) -> Segment:
    return next(one for one in result.segments if one.name == "OBX")


def _attachments(segment: Segment, scope: Scope) -> Iterator[Resource]:
    read = ed.attachment if segment[2].text == "ED" else ed.pointer
    title = segment[3][2] or segment[3][1]
    for repetition in segment[5].repetitions:
        found = read(repetition, scope.at(segment, 5))
        if found:
            yield {**found, **({"title": title} if title else {})}
