"""SPM, or the specimen source in OBR-15 → Specimen. HL7 v2.5 7.4.3; JP Core JP_Specimen_Common."""

from adapters.hl7v2.datatypes import cwe, ei, nm, ts
from adapters.hl7v2.fields import Field, Scope, elements, first, leftover, numbers
from adapters.hl7v2.parse import Repetition, Segment
from adapters.identity import reference, resource_id
from fhir_server.fhirjson import Resource

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Specimen_Common"


def comment(repetition: Repetition, scope: Scope) -> Resource | None:
    return {"text": repetition.text} if repetition.text.strip() else None


def collected(repetition: Repetition, scope: Scope) -> str | None:
    """Reads the start of a DR."""
    return ts.stated(repetition[1], scope)


SPECIMEN = (
    Field("SPM-2", "identifier[]", ei.specimen),
    Field("SPM-30", "accessionIdentifier", ei.numbered("accession"), first),
    Field("SPM-31", "identifier[]", ei.numbered("specimen")),
    Field("SPM-4", "type", cwe.table("0487")),
    Field("SPM-18", "receivedTime", ts.date_time),
    Field("SPM-7", "collection.method", cwe.table("0488")),
    Field("SPM-8", "collection.bodySite", cwe.codeable_concept),
    Field("SPM-12", "collection.quantity", nm.quantity),
    Field("SPM-24", "condition[]", cwe.table("0493")),
    Field("SPM-14", "note[]", comment),
)
# 1 counts; 11 says that it is a patient's; 17 is read below.
SPECIMEN_KNOWN = numbers(SPECIMEN, 1, 11, 17)


def number(segment: Segment | None) -> str:
    """Returns the specimen number, the filler's before the placer's; "" where none is stated."""
    if segment is None or not segment[2]:
        return ""
    given = segment[2].repetitions[0] if segment[2].repetitions else None
    return (given[2] or given[1]).strip() if given else ""


def specimen(segment: Segment, order: str, patient: Resource, scope: Scope) -> Resource:
    """Returns the Specimen: one for its number, else for order, material and time of collection."""
    found = elements(segment, SPECIMEN, scope)
    leftover(segment, SPECIMEN_KNOWN, scope)
    collection = {**found.get("collection", {}), **_collected(segment, scope.at(segment, 17))}
    own = number(segment)
    return _resource({**found, "collection": collection}, own or order, not own, patient, scope)


def source(observation_request: Segment, order: str, patient: Resource, scope: Scope) -> Resource | None:
    """Returns the Specimen that an OBR without SPM speaks of; None where it does not."""
    given = observation_request[15].repetitions
    here = scope.at(observation_request, 15)
    material = given[0] if given else None
    if material and "&" in material.raw.split("^")[0]:
        material = Repetition(material.component(1).replace("&", "^"), material.separators)
    type = cwe.table("0070")(material, here) if material else None
    if not type:
        return None
    start = ts.stated(observation_request[7][1], here)
    collection = {"collectedDateTime": start} if start else {}
    return _resource({"type": type, "collection": collection}, order, True, patient, scope)


def _resource(found: Resource, number: str, shared: bool, patient: Resource, scope: Scope) -> Resource:
    """`shared`: the number is not the specimen's own; material and time of collection must tell it from others."""
    collection = found.get("collection", {})
    more = (cwe.key(found.get("type", {})), str(collection.get("collectedDateTime", ""))[:16]) if shared else ()
    return {
        "resourceType": "Specimen",
        "id": resource_id("Specimen", scope.facility.number, patient["id"], number, *more),
        "meta": {"profile": [PROFILE]},
        "status": "available",
        "subject": reference(patient),
        **{name: value for name, value in found.items() if value},
    }


def _collected(segment: Segment, scope: Scope) -> Resource:
    period = ts.period(segment[17][1], segment[17][2], scope) or {}
    if period.get("end") in (None, period.get("start")):
        return {"collectedDateTime": period["start"]} if "start" in period else {}
    return {"collectedPeriod": period}
