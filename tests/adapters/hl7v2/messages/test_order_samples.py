"""Prescriptions and problems of other projects: nearly all are mapped, each other one is named."""

import tarfile
from datetime import datetime
from functools import cache
from pathlib import Path


from adapters.facility import JST, Facility
from adapters.hl7v2.messages import to_records
from adapters.record import Record, Unmappable

ARCHIVE = Path(__file__).parents[1] / "samples" / "orders.tar.gz"
RECEIVED = datetime(2024, 6, 3, 12, 0, tzinfo=JST)
FACILITY = Facility("1119999991", "", ("NORTHGEN", "MINAMI-HP"))

PPR = "linuxforhealth/PPR_PC1__"
UNMAPPED = {
    f"{PPR}CodeableConceptTest.checkICD10Coding.1.hl7": "PID-3: There is no patient number.",
    f"{PPR}HL7ConditionFHIRConversionTest.validateProblemWithInvalidClinicalStatusAndResolutionDate.1.hl7":
        "PID-3: There is no patient number.",
    f"{PPR}HL7ConditionFHIRConversionTest.validateProblemWithOnsetStringAndNoOnsetdateClinicalStatusResolved.1.hl7":
        "PID-3: There is no patient number.",
    "linuxforhealth/RDE_O11__Hl7MedicationRequestFHIRConversionTest.test_medicationreq_status.5.hl7":
        "ORC-4: Which drug of the order this changes is not said.",
}


@cache
def mapped() -> tuple[dict[str, list[Record]], dict[str, str]]:
    """What has a map, and why the others have none."""
    found, reasons = {}, {}
    with tarfile.open(ARCHIVE) as archive:
        raw = {one.name: stream.read() for one in archive if one.name.endswith(".hl7")
               and (stream := archive.extractfile(one))}
    for name, content in raw.items():
        try:
            found[name] = to_records(content, name, FACILITY, RECEIVED)
        except Unmappable as error:
            reasons[name] = str(error)
    return found, reasons


def test_all_but_the_named_are_mapped() -> None:
    found, reasons = mapped()
    assert reasons == UNMAPPED
    assert len([name for name in found if "RDE" in name]) == 13
    assert len([name for name in found if "RDE" not in name]) == 8


def test_an_order_without_any_number_is_known_by_its_content() -> None:
    """The same message twice is one prescription; two messages without numbers are never one."""
    found = mapped()[0]
    unnumbered = [records for name, records in found.items() if "dosageInstructionTest" in name]
    ids = {record.entries[-1].resource["id"] for records in unnumbered for record in records}
    assert len(ids) == len(unnumbered) == 4
