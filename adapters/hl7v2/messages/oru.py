"""ORU^R01, unsolicited observation → results, with stubs of what they refer to. HL7 v2.5 7.3.1."""

from adapters.facility import Facility
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.messages import results
from adapters.hl7v2.messages.statement import scope_of, unread
from adapters.hl7v2.parse import Message, Segment
from adapters.hl7v2.structures import Group, group
from adapters.record import Record

READ = frozenset({
    ("", "MSH"), ("", "SFT"), ("PATIENT", "PID"), ("VISIT", "PV1"), ("ORDER_OBSERVATION", "ORC"),
    ("ORDER_OBSERVATION", "OBR"), ("ORDER_OBSERVATION", "NTE"), ("OBSERVATION", "OBX"), ("OBSERVATION", "NTE"),
    ("SPECIMEN", "SPM"),
})


def to_records(message: Message, facility: Facility) -> list[Record]:
    """Returns one Record for each patient. Raises Unmappable without a patient number."""
    whole = group(message)
    patients = _patients(whole)
    return [_record(message, segment, groups, scope_of(message, facility), whole) for segment, groups in patients]


def _patients(whole: Group) -> list[tuple[Segment | None, list[Group]]]:
    """A PATIENT_RESULT without PID goes on with the patient before."""
    found: list[tuple[Segment | None, list[Group]]] = []
    for result in whole.find("PATIENT_RESULT"):
        segment = next((one for patient in result.find("PATIENT") for one in patient.all("PID")), None)
        groups = result.find("ORDER_OBSERVATION")
        if found and segment is None:
            found[-1][1].extend(groups)
        else:
            found.append((segment, groups))
    return found


def _record(message: Message, segment: Segment | None, groups: list[Group], scope: Scope, whole: Group) -> Record:
    orders = [results.order(one, "OBSERVATION", _specimen(one), False, scope) for one in groups]
    unread(whole, READ, scope)
    return results.to_record(message, segment, [one for one in orders if one], scope)


def _specimen(order: Group) -> Segment | None:
    return next((one for specimen in order.find("SPECIMEN") for one in specimen.all("SPM")), None)
