"""How a resource that several messages state in parts meets the stored one: `When.MERGED`."""

from collections.abc import Callable

from fhir_server.fhirjson import Resource

# Resource type → (stored, new) → what shall stand; pure, and the same again when `new` comes again.
MERGE: dict[str, Callable[[Resource, Resource], Resource]] = {}
