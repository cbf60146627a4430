"""OUL^R22, unsolicited specimen-oriented observation → results. HL7 v2.5 7.3.7; JAHIS; SS-MIX2 OML-11."""

from adapters.facility import Facility
from adapters.hl7v2.messages import results
from adapters.hl7v2.messages.statement import scope_of, unread
from adapters.hl7v2.parse import Message
from adapters.hl7v2.structures import group
from adapters.record import Record

READ = frozenset({
    ("", "MSH"), ("", "SFT"), ("PATIENT", "PID"), ("VISIT", "PV1"), ("SPECIMEN", "SPM"), ("ORDER", "OBR"),
    ("ORDER", "ORC"), ("ORDER", "NTE"), ("RESULT", "OBX"), ("RESULT", "NTE"),
})


def to_records(message: Message, facility: Facility) -> list[Record]:
    """Returns one Record. Raises Unmappable without a patient number."""
    whole, scope = group(message), scope_of(message, facility)
    orders = [
        results.order(order, "RESULT", specimen.first("SPM"), True, scope)
        for specimen in whole.find("SPECIMEN")
        for order in specimen.find("ORDER")
    ]
    unread(whole, READ, scope)
    return [results.to_record(message, message.first("PID"), [one for one in orders if one], scope)]
