"""PID, PD1, NK1, DB1 → Patient. HL7 v2.5 3.4.2, 3.4.10, 3.4.5, 15.4; JP Core JP_Patient."""

from collections.abc import Sequence
from typing import Any

from adapters.hl7v2 import parse
from adapters.hl7v2.datatypes import cwe, cx, nm, ts, xad, xcn, xon, xpn, xtn
from adapters.hl7v2.fields import Field, Scope, coded, elements, first, leftover, numbers
from adapters.hl7v2.parse import Repetition, Segment
from adapters.identity import patient_id
from adapters.record import Unmappable
from fhir_server.fhirjson import Resource

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Patient"
BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
DISABILITY = "http://hl7.org/fhir/StructureDefinition/patient-disability"

SELF = "SEL"
YES = {"Y": True, "N": False}


def birth_time(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads the time of birth, where more than a day was sent."""
    found = ts.date_time(repetition, scope) if len(repetition[1]) > 8 else None
    return {"url": BIRTH_TIME, "valueDateTime": found} if found and "T" in found else None


def flag(repetition: Repetition, scope: Scope) -> bool | None:
    """Reads table 0136."""
    return YES.get(repetition[1])


def order(repetition: Repetition, scope: Scope) -> int | None:
    """Reads the place in a multiple birth."""
    found = nm.count(repetition[1])
    if found is None and repetition[1]:
        scope.note("This is no number.")
    return found


def language(repetition: Repetition, scope: Scope) -> Resource | None:
    found = cwe.codeable_concept(repetition, scope)
    return {"language": found} if found else None


def disability(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads DB1-4; only `Y` says anything."""
    stated = flag(repetition, scope)
    return {"url": DISABILITY, "valueCodeableConcept": {"text": "障害あり"}} if stated else None


def kanji_first(given: parse.Field) -> Sequence[Repetition]:
    """Chooses all forms of a name, kana last: an element that has only one takes the first."""
    return sorted(given.repetitions, key=lambda one: one[8] == "P")


IDENTIFIERS = (
    Field("PID-3", "identifier[]", cx.identifier),
    Field("PID-2", "identifier[]", cx.identifier),
    Field("PID-4", "identifier[]", cx.identifier),
)
PATIENT = (
    Field("PID-5", "name[]", xpn.human_name),
    Field("PID-9", "name[]", xpn.human_name),
    Field("PID-7", "birthDate", ts.date),
    Field("PID-7", "_birthDate.extension[]", birth_time),
    Field("PID-8", "gender", coded("administrative-sex")),
    Field("PID-11", "address[]", xad.address),
    Field("PID-13", "telecom[]", xtn.used("home")),
    Field("PID-14", "telecom[]", xtn.used("work")),
    Field("PID-40", "telecom[]", xtn.contact_point),
    Field("PID-15", "communication[]", language),
    Field("PID-16", "maritalStatus", cwe.concept("marital-status")),
    Field("PID-24", "multipleBirthBoolean", flag),
    Field("PID-25", "multipleBirthInteger", order),
    Field("PID-29", "deceasedDateTime", ts.date_time),
    Field("PID-30", "deceasedBoolean", flag),
)
# 1 counts the segments, 33 is the time of the last update: the message has its own.
PATIENT_KNOWN = numbers(IDENTIFIERS, PATIENT, 1, 33)

PHYSICIAN = (
    Field("PD1-3", "generalPractitioner[]", xon.organization),
    Field("PD1-4", "generalPractitioner[]", xcn.practitioner, xcn.persons),
)
PHYSICIAN_KNOWN = numbers(PHYSICIAN)

CONTACT = (
    Field("NK1-3", "relationship[]", cwe.table("0063")),
    Field("NK1-7", "relationship[]", cwe.table("0131")),
    Field("NK1-2", "name", xpn.human_name, kanji_first),
    Field("NK1-5", "telecom[]", xtn.used("home")),
    Field("NK1-6", "telecom[]", xtn.used("work")),
    Field("NK1-4", "address", xad.address),
    Field("NK1-15", "gender", coded("administrative-sex")),
    Field("NK1-13", "organization", xon.organization, first),
    Field("NK1-8", "period.start", ts.date_time),
    Field("NK1-9", "period.end", ts.date_time),
)
CONTACT_KNOWN = numbers(CONTACT, 1)

CHOICES = (("deceasedDateTime", "deceasedBoolean"), ("multipleBirthInteger", "multipleBirthBoolean"))


def patient(segment: Segment, scope: Scope) -> Resource:
    """Returns the Patient that a PID alone states. Raises Unmappable without a patient number."""
    own = _own_number(segment)
    found = {"identifier": _identifiers(segment, own, scope), **elements(segment, PATIENT, scope)}
    for better, other in CHOICES:
        if better in found:
            found.pop(other, None)
    leftover(segment, PATIENT_KNOWN, scope)
    authority = "" if cx.is_own(own, scope) else own[4]
    identity = {
        "resourceType": "Patient",
        "id": patient_id(scope.facility.number, own[1].strip(), authority),
        "meta": {"profile": [PROFILE]},
    }
    return {**identity, **found}


def number(segment: Segment) -> str:
    """Returns the number under which the facility knows the patient. Raises Unmappable without one."""
    return _own_number(segment)[1].strip()


def contacts(segments: Sequence[Segment], scope: Scope) -> list[Resource]:
    """Returns Patient.contact, each with a way to it (pat-1); an NK1 of the patient himself, his employer, is none."""
    found = []
    for segment in segments:
        if segment[3][1] == SELF:
            scope.at(segment, 3).note("An entry of the patient about himself is no contact.")
            continue
        contact = elements(segment, CONTACT, scope)
        leftover(segment, CONTACT_KNOWN, scope)
        if contact.keys() & {"name", "telecom", "address", "organization"}:
            found.append(contact)
    return found


def physicians(segment: Segment, scope: Scope) -> Resource:
    """Returns Patient.generalPractitioner of PD1."""
    leftover(segment, PHYSICIAN_KNOWN, scope)
    return elements(segment, PHYSICIAN, scope)


def disabilities(segments: Sequence[Segment], scope: Scope) -> list[Resource]:
    """Returns the extensions of DB1 segments about the patient."""
    about = [one for one in segments if one[2][1] == "PT"]
    found = (disability(given, scope.at(one, 4)) for one in about for given in one[4].repetitions[:1])
    return [one for one in found if one]


def _own_number(segment: Segment) -> Repetition:
    """The medical record number before another internal one before what else stands first; national numbers last."""
    given = [one for field in (3, 2, 4) for one in segment[field].repetitions if one[1].strip()]
    if not given:
        raise Unmappable("There is no patient number.", segment.place(3))
    return min(given, key=lambda one: PREFERRED.get(one[5], 2))


PREFERRED = {"MR": 0, "PI": 1, "NI": 3, "SS": 3, "DL": 3, "PPN": 3}


def _identifiers(segment: Segment, own: Repetition, scope: Scope) -> list[Resource]:
    """The facility's number of the patient first, in the network's system, then whatever else was sent."""
    stated: list[Any] = elements(segment, IDENTIFIERS, scope)["identifier"]
    if not cx.is_own(own, scope):
        return stated
    number = {"system": cx.patient_number_system(scope), "value": own[1].strip()}
    typed = {"type": cx.kind(xpn.clean(own[5]) or "MR"), **number}
    return [typed, *(one for one in stated if not number.items() <= one.items())]
