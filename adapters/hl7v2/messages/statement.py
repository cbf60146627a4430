"""What every message states, whatever its type: whose it is, when it was made, whom it is about."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone

from adapters.facility import Facility
from adapters.hl7v2.datatypes import ts
from adapters.hl7v2.datatypes.systems import INSTITUTION
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Message, Segment
from adapters.hl7v2.segments import pid
from adapters.hl7v2.structures import Group
from adapters.identity import organization_id
from adapters.record import Entry, Note, Record, Unmappable, When
from fhir_server.fhirjson import Resource

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Organization"

# The time of a message that states none; `to_records` puts the time of its receipt there.
UNDATED = datetime.min.replace(tzinfo=timezone.utc)


def scope_of(message: Message, facility: Facility) -> Scope:
    """Returns the scope of a message: times without an offset have that of MSH-7, else that of the facility."""
    return Scope(facility, ts.zone(message.time) or facility.zone)


def organization(facility: Facility) -> Resource:
    """Returns the Organization of the facility. An unconfirmed one has a number of ours, not one of the country."""
    system = INSTITUTION if facility.confirmed else "urn:kakehashi:facility"
    return {
        "resourceType": "Organization",
        "id": organization_id(facility.number),
        "meta": {"profile": [PROFILE]},
        "identifier": [{"system": system, "value": facility.number}],
        "name": facility.name or facility.number,
    }


def custodian(scope: Scope) -> Resource:
    """Returns the reference to the facility itself."""
    return {"reference": f"Organization/{organization_id(scope.facility.number)}"}


def subject(segment: Segment | None, scope: Scope) -> Resource:
    """Returns the Patient of a PID. Raises Unmappable without one, or without a patient number."""
    if segment is None:
        raise Unmappable("There is no PID segment.", "PID")
    return {**pid.patient(segment, scope), "managingOrganization": custodian(scope)}


def stubs(patient: Resource, scope: Scope) -> list[Entry]:
    """Returns the resources that a message refers to without owning them: they are written only where none is."""
    return [Entry(organization(scope.facility), When.ABSENT), Entry(patient, When.ABSENT)]


def record(message: Message, business: Sequence[str], entries: Iterable[Entry], scope: Scope) -> Record:
    """Returns the Record of a message. `business` names what it is about, such as `("ADT", patient id)`."""
    facility = scope.facility.number
    return Record(
        key="/".join((facility, *business)),
        time=ts.moment(message.time, scope.zone) or UNDATED,
        entries=tuple(entries),
        source=f"urn:hl7v2:{facility}:{message.control}",
        notes=tuple(scope.notes),
    )


def unread(group: Group, read: frozenset[tuple[str, str]], scope: Scope) -> None:
    """Notes each segment that the map does not read; `read` has (group, segment) names, `""` for the whole message."""
    for name, segment in _segments(group, ""):
        if (name, segment.name) not in read:
            place = segment.name if segment.number == 1 else f"{segment.name}[{segment.number}]"
            scope.notes.append(Note(place, "This segment is not mapped."))


def _segments(group: Group, name: str) -> Iterator[tuple[str, Segment]]:
    for segment in group.segments:
        yield name, segment
    for inner in group.groups:
        yield from _segments(inner, inner.name)
