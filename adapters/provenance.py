"""Where resources come from: one Provenance for each record. https://hl7.org/fhir/R4/provenance.html"""

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from adapters.facility import Facility
from adapters.identity import organization_id, resource_id
from adapters.record import Note, Record
from fhir_server.fhirjson import Resource, instant

URI = "urn:ietf:rfc:3986"
_XHTML = "http://www.w3.org/1999/xhtml"


def provenance(record: Record, targets: Sequence[str], facility: Facility) -> Resource:
    """Returns the Provenance of what the record wrote or withdrew: `targets`, such as `Observation/x`.

    Its text lists what the map could not carry over.
    """
    return {
        "resourceType": "Provenance",
        "id": provenance_id(record, facility),
        **({"text": _narrative(record.notes)} if record.notes else {}),
        "target": [{"reference": one} for one in sorted(targets)],
        "recorded": instant(record.time),
        "agent": [{"who": {"reference": f"Organization/{organization_id(facility.number)}"}}],
        "entity": [{"role": "source", "what": {"identifier": {"system": URI, "value": source_uri(record)}}}],
    }


def provenance_id(record: Record, facility: Facility) -> str:
    """Returns the id, the same whenever the record comes: of its source, and its key where a source has several."""
    return resource_id("Provenance", facility.number, record.source, record.key)


def source_uri(record: Record) -> str:
    """Returns `Record.source` as a URI: control ids and file names may hold blanks and kanji."""
    return quote(record.source, safe="%:/?#[]@!$&'()*+,;=~")


def _narrative(notes: Sequence[Note]) -> Resource:
    rows = "".join(f"<li>{escape(one.place)}: {escape(one.text)}</li>" for one in notes)
    return {"status": "additional", "div": f'<div xmlns="{_XHTML}"><p>Not mapped:</p><ul>{rows}</ul></div>'}
