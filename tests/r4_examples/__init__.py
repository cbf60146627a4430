"""A half of the official FHIR R4 (4.0.1) example resources; see README.md beside this file."""

import gzip
from functools import cache
from pathlib import Path

from fhir_server import fhirjson

EXAMPLES = Path(__file__).with_name("examples.ndjson.gz")

# What the specification itself refuses, with the reason.
WRONG = {"Questionnaire-qs1": "items inside groups have no linkId, which is 1..1"}


@cache
def examples() -> list[tuple[str, bytes]]:
    """Returns (name, JSON) of each example, sorted by name: `("Account-ewg", b'{"resourceType":"Account",…}')`."""
    return [(_name(raw), raw) for raw in gzip.decompress(EXAMPLES.read_bytes()).splitlines()]


def _name(raw: bytes) -> str:
    resource = fhirjson.decode(raw)
    return f"{resource['resourceType']}-{resource['id']}"
