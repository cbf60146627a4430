"""Golden cases: a message as it was sent, and all that it becomes. `bundle.json` has one Bundle for each Record."""

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.facility import JST, Facility
from adapters.hl7v2.messages import to_records
from adapters.record import Record
from fhir_server import fhirjson

FACILITY = Facility("1119999991", "埼東中央病院", ("SAITO", "MINAMI-HP", "NORTHGEN"))
RECEIVED = datetime(2024, 6, 3, 12, 0, tzinfo=JST)
CASES = sorted(one.parent for one in (Path(__file__).parents[1] / "cases").glob("*/message.hl7"))


def records(case: Path) -> list[Record]:
    return to_records((case / "message.hl7").read_bytes(), case.name, FACILITY, RECEIVED)


def bundle(record: Record) -> dict[str, Any]:
    """The record as a Bundle: its key and time, when each entry is written, and what was not mapped."""
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "identifier": {"system": record.source, "value": record.key},
        "timestamp": record.time.isoformat(),
        "entry": [{"id": one.when.value, "resource": one.resource} for one in record.entries],
        "_entry": [f"{one.place}: {one.text}" for one in record.notes],
    }


def as_json(found: list[Record]) -> str:
    return msgspec.json.format(fhirjson.encode([bundle(one) for one in found]), indent=1).decode() + "\n"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_message_becomes_exactly_these_resources(case: Path) -> None:
    assert as_json(records(case)) == (case / "bundle.json").read_text(encoding="utf-8")


def test_a_message_twice_says_the_same() -> None:
    assert [records(case) for case in CASES] == [records(case) for case in CASES]
