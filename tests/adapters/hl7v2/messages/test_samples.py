"""Messages of other projects: nine of ten are mapped, each other one is named with its reason."""

import tarfile
from datetime import datetime
from functools import cache
from pathlib import Path


from adapters.facility import JST, Facility
from adapters.hl7v2.messages import to_records
from adapters.record import Record, Unmappable

ARCHIVE = Path(__file__).parents[1] / "samples" / "messages.tar.gz"
RECEIVED = datetime(2024, 6, 3, 12, 0, tzinfo=JST)
# What a facility whose messages declare no character set would be configured with.
CHARSETS = {
    "own/ja/ADT_A08_undeclared_shiftjis.hl7": "shift_jis",
    "cdc-trusted-intermediary/CA__002_CA_ORU_R01.hl7": "utf-8",
}

NO_NUMBER = "PID-3: There is no patient number."
NO_PATIENT = "PID: There is no PID segment."
UNMAPPED = {
    "cdc-trusted-intermediary/CA__002_CA_ORU_R01.hl7": NO_NUMBER,
    "linuxforhealth/ADT_A01__HL7ConditionFHIRConversionTest.validateDiagnosisWithEIIdentifiers.1.hl7": NO_NUMBER,
    "linuxforhealth/ADT_A01__HL7ConditionFHIRConversionTest.validateEncounterMultipleDiagnoses.1.hl7": NO_NUMBER,
    "linuxforhealth/ADT_A01__HL7EventTypeFHIRConversionTest.validateEVNsegmentWithOBXreference.1.hl7": NO_PATIENT,
    "linuxforhealth/ADT_A01__HL7EventTypeFHIRConversionTest.validate_evn_segment.1.hl7": NO_PATIENT,
    "linuxforhealth/ADT_A01__HL7EventTypeFHIRConversionTest.validate_evn_segment_no_period_override.1.hl7": NO_PATIENT,
    "linuxforhealth/ORU_R01__SegmentUtilTest.test_repeating_primary_segment_with_repeating_parent_group.1.hl7":
        "MSH-2: The delimiters are not distinct printable characters.",
    "own/ja/ADT_A08_declared_ir87_but_utf8.hl7":
        "MSH-18: MSH-18 declares a 7-bit character set, but there are 8-bit bytes.",
}


@cache
def messages() -> dict[str, bytes]:
    with tarfile.open(ARCHIVE) as archive:
        members = [one for one in archive.getmembers() if one.name.endswith(".hl7")]
        return {one.name: stream.read() for one in members if (stream := archive.extractfile(one))}


@cache
def mapped() -> tuple[dict[str, list[Record]], dict[str, str]]:
    """What has a map, and why the others have none."""
    found, reasons = {}, {}
    for name, raw in messages().items():
        facility = Facility("1119999991", "", ("NORTHGEN", "MINAMI-HP"), charset=CHARSETS.get(name, "ascii"))
        try:
            found[name] = to_records(raw, name, facility, RECEIVED)
        except Unmappable as error:
            reasons[name] = str(error)
    return found, reasons


def test_nine_of_ten_messages_are_mapped_and_the_others_are_these() -> None:
    found, reasons = mapped()
    assert reasons == UNMAPPED
    assert len(found) >= 0.9 * len(messages())


def test_no_message_says_two_things_under_one_id() -> None:
    for records in mapped()[0].values():
        for record in records:
            ids = [(one.resource["resourceType"], one.resource["id"]) for one in record.entries]
            assert len(ids) == len(set(ids))


def test_no_reference_leads_to_another_patient() -> None:
    for records in mapped()[0].values():
        for record in records:
            patients = {one.resource["id"] for one in record.entries if one.resource["resourceType"] == "Patient"}
            subjects = {one.resource["subject"]["reference"] for one in record.entries if "subject" in one.resource}
            assert subjects <= {f"Patient/{one}" for one in patients}
            assert len(patients) == 1
