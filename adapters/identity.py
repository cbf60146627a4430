"""Who and what a message speaks of: ids from business identifiers, so that the same thing twice is one resource.

A key holds what stays the same when a message is sent again, corrected, or comes by another way (MLLP, SS-MIX2 file):
facility and business numbers, never the time or the place of the message itself.
"""

from base64 import b32encode
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256

from fhir_server import fhirjson
from fhir_server.fhirjson import Resource


def resource_id(type: str, facility_number: str, *business_key: str) -> str:
    """Returns the logical id of one thing of one facility: `1119999991-` and 26 characters from `a` to `z`, `2` to `7`.

    The tail is the first 128 bits of the SHA-256 of the whole key: one id for one key, on every machine, for ever.
    https://hl7.org/fhir/R4/datatypes.html#id
    """
    digest = sha256(fhirjson.encode([type, facility_number, *business_key])).digest()[:16]
    return f"{facility_number}-{b32encode(digest).decode().rstrip('=').lower()}"


@dataclass(frozen=True)
class Names:
    """Gives ids within one message: two things of one name in it (a test done twice) are two resources."""

    facility_number: str
    given: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def id(self, type: str, *business_key: str) -> str:
        name = (type, *business_key)
        self.given[name] += 1
        again = (str(self.given[name]),) if self.given[name] > 1 else ()
        return resource_id(type, self.facility_number, *business_key, *again)


def patient_id(facility_number: str, number: str, authority: str = "") -> str:
    """Returns the id of a facility's Patient; `authority` only where somebody else assigned the number."""
    return resource_id("Patient", facility_number, *([number, authority] if authority else [number]))


def order_key(facility_number: str, patient_number: str) -> str:
    """Returns what messages and files about one patient share: those of one key are handled in order of arrival."""
    return f"{facility_number}/{patient_number}"


def organization_id(facility_number: str) -> str:
    """Returns the id of the Organization of a facility."""
    return resource_id("Organization", facility_number)


def reference(resource: Resource) -> Resource:
    """Returns a literal reference to a resource that has its id."""
    return {"reference": f"{resource['resourceType']}/{resource['id']}"}
