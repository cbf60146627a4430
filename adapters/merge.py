"""How a resource that several messages state in parts meets the stored one: `When.MERGED`."""

from collections.abc import Callable

from adapters.hl7v2.segments.obr import merge_report
from adapters.hl7v2.segments.obx import merge_observation
from adapters.hl7v2.segments.pv1 import merge_encounter
from fhir_server.fhirjson import Resource

# Resource type → (earlier, later) → what shall stand; pure, and the same again when either comes again.
MERGE: dict[str, Callable[[Resource, Resource], Resource]] = {
    "DiagnosticReport": merge_report,
    "Encounter": merge_encounter,
    "Observation": merge_observation,
}
