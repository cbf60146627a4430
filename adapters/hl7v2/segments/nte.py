"""NTE → Annotation. HL7 v2.5 2.15.10."""

from collections.abc import Sequence

from adapters.hl7v2.parse import Segment
from fhir_server.fhirjson import Resource


def annotation(segments: Sequence[Segment]) -> list[Resource]:
    """Returns the comment of one or more NTE, their lines joined: an Annotation in a list, or an empty list."""
    lines = [line.text for one in segments for line in one[3].repetitions]
    joined = "\n".join(lines).strip()
    return [{"text": joined}] if joined else []
