"""PPR^ZD1 (病名, JAHIS) and PPR^PC1 to PC3 (HL7 v2.5 12.3.1): patient problem → one Condition for each PRB."""

from adapters.facility import Facility
from adapters.hl7v2.datatypes import xcn
from adapters.hl7v2.fields import Field, Scope, elements, first, leftover, numbers
from adapters.hl7v2.messages.rde import department
from adapters.hl7v2.messages.statement import record, scope_of, stubs, subject, unread
from adapters.hl7v2.messages.visit import visit
from adapters.hl7v2.parse import Message, Segment
from adapters.hl7v2.segments import prb, zpr
from adapters.hl7v2.structures import Group, group
from adapters.identity import reference, resource_id
from adapters.record import Entry, Record, Unmappable, When
from fhir_server.fhirjson import Resource

PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Condition_Diagnosis"
JAPANESE = "ZD1"

RECORDED = (
    Field("ORC-10", "recorder", xcn.practitioner, xcn.persons),
    Field("ORC-12", "asserter", xcn.practitioner, xcn.persons),
    Field("ORC-17", "extension[]", department, first),
)
# The numbers and times of the entry are not those of the problem; 21 to 23 say again who the facility is.
_ORC = numbers(RECORDED, 1, 2, 3, 9, 21, 22, 23, 29)
_PRB = numbers(prb.CONDITION, *prb.READ)
_ZPR = numbers(*zpr.READ)


READ = frozenset(
    {("", "MSH"), ("", "PID"), ("PATIENT_VISIT", "PV1"), ("ORDER", "ORC")}
    | {("PROBLEM", name) for name in ("PRB", "ZPR", "ZPD", "NTE", "ORC")}
)


def to_records(message: Message, facility: Facility) -> list[Record]:
    """Returns one Record with all problems and a stub of the patient. Raises Unmappable without PID or PRB."""
    scope = scope_of(message, facility)
    patient = subject(message.first("PID"), scope)
    whole = group(message)
    problems = [one for one in whole.find("PROBLEM") if one.segments and one.segments[0].name == "PRB"]
    if not problems:
        raise Unmappable("There is no problem.", "PRB")
    encounter = visit(message, patient, scope)
    about = {"subject": reference(patient), **({"encounter": reference(encounter)} if encounter else {})}
    key = (scope.facility.number, patient["id"])
    found = [condition(one, key, about, message.event == JAPANESE, scope) for one in problems]
    for one in problems:
        _note_leftovers(one, scope)
    unread(whole, READ, scope)
    known = [*stubs(patient, scope), *([Entry(encounter, When.ABSENT)] if encounter else [])]
    entries = [*known, *map(Entry, found)]
    return [record(message, ("PPR", patient["id"], message.control), entries, scope)]


def condition(problem: Group, owner: tuple[str, str], about: Resource, japanese: bool, scope: Scope) -> Resource:
    """Returns the Condition of one PRB, `japanese` for PPR^ZD1.

    owner  facility number and patient id, which with PRB-4 name the problem
    about  its references to patient and encounter
    """
    stated = problem.segments[0]
    orc, modified = problem.first("ORC"), problem.first("ZPR")
    recorded = elements(orc, RECORDED, scope) if orc else {}
    found = elements(stated, prb.CONDITION, scope)
    verified = prb.verification(stated, japanese, scope)
    return _valued({
        "resourceType": "Condition",
        **recorded,
        **found,
        "id": _id(stated, owner),
        "meta": {**found.get("meta", {}), **({"profile": [PROFILE]} if japanese else {})},
        "extension": [*found.get("extension", ()), *recorded.get("extension", ())],
        **_clinical(stated, found, verified, scope),
        "verificationStatus": prb.status(prb.VERIFICATION, verified) if verified else None,
        "category": prb.categories(stated, scope),
        "code": _code(stated, modified, verified, japanese, scope),
        "bodySite": _teeth(problem),
        **about,
        **_onset(stated, found, japanese, scope),
        "note": _notes(problem, modified),
    })


def _id(stated: Segment, owner: tuple[str, str]) -> str:
    """PRB-4 names the problem; without it the disease and its beginning do."""
    number = stated[4][1].strip()
    key = (number,) if number else ("", stated[3].text, stated[16].text or stated[7].text)
    return resource_id("Condition", *owner, *key)


def _clinical(stated: Segment, found: Resource, verified: str | None, scope: Scope) -> Resource:
    """clinicalStatus, with abatement where it has ended; neither of an error (FHIR con-5)."""
    if verified == prb.ERROR:
        return {"clinicalStatus": None}
    status = prb.clinical(stated, "abatementDateTime" in found, scope)
    ended = found.get("abatementDateTime") or prb.ended(stated, status, scope)
    return {"clinicalStatus": prb.status(prb.CLINICAL, status), "abatementDateTime": ended}


def _code(stated: Segment, modified: Segment | None, verified: str | None, japanese: bool, scope: Scope) -> Resource:
    codings = prb.codings(stated, scope)
    if modified:
        codings += [one for one in zpr.codings(modified, scope) if one not in codings]
    name = prb.name(stated)
    plain = stated[17].text if japanese and stated[17].text else name
    text = zpr.text(modified, name) if modified else plain
    if japanese and verified == "unconfirmed" and not text.endswith(prb.SUSPECTED):
        text += prb.SUSPECTED
    return _valued({"extension": zpr.modifiers(modified, scope) if modified else None, "coding": codings, "text": text})


def _onset(stated: Segment, found: Resource, japanese: bool, scope: Scope) -> Resource:
    """PRB-16; in Japan else PRB-7, 病名開始日; elsewhere else PRB-17, which is the onset in words."""
    if "onsetDateTime" in found:
        return {}
    if japanese:
        return {"onsetDateTime": found.get("recordedDate")}
    return {"onsetString": stated[17].text}


def _teeth(problem: Group) -> list[Resource]:
    """ZPD-2: the teeth of a dental problem."""
    return [{"text": one[2].text} for one in problem.all("ZPD") if one[2]]


def _notes(problem: Group, modified: Segment | None) -> list[Resource]:
    comment = [modified[7].text] if modified else []
    return [{"text": one} for one in (*comment, *(note[3].text for note in problem.all("NTE"))) if one.strip()]


def _note_leftovers(problem: Group, scope: Scope) -> None:
    known = {"PRB": _PRB, "ORC": _ORC, "ZPR": _ZPR, "ZPD": numbers(1, 2)}
    for one in problem.segments:
        if one.name in known:
            leftover(one, known[one.name], scope)


def _valued(found: Resource) -> Resource:
    return {name: value for name, value in found.items() if value}
