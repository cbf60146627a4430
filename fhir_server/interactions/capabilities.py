"""capabilities: computed from what runs, so that it cannot claim what does not.

https://hl7.org/fhir/R4/http.html#capabilities · https://hl7.org/fhir/R4/capabilitystatement.html
"""

from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version

from fhir_server.context import Context
from fhir_server.definitions.registry import Definitions
from fhir_server.exchange import Request, Response
from fhir_server.fhirjson import Resource, encode
from fhir_server.interactions.operations import operations
from fhir_server.interactions.transaction import KINDS
from fhir_server.patch.patch import MEDIA_TYPES
from fhir_server.search.include import possible
from fhir_server.search.index import supported

TYPE_LEVEL = "http://hl7.org/fhir/ValueSet/type-restful-interaction"
SYSTEM_LEVEL = "http://hl7.org/fhir/ValueSet/system-restful-interaction"
# What every search understands beside the parameters of a type.
COMMON = (("_filter", "special"), ("_has", "special"), ("_list", "special"))
# Of this release.
RELEASED = "2026-11-23"
OPEN = "No authorization (--open): a trial on this machine only; other hosts and origins are refused."
CLOSED = "Every request needs authorization; none can be granted yet, so every request is refused."


def capabilities(request: Request, context: Context) -> Response:
    """Returns the CapabilityStatement; it alone needs no authorization."""
    return Response(200, encode(_statement(request.base, context)))


def _statement(base: str, context: Context) -> Resource:
    security = OPEN if context.config.open else CLOSED
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": RELEASED,
        "kind": "instance",
        "software": {"name": "Kakehashi", "version": version("kakehashi-fhir")},
        "implementation": {"description": "Kakehashi FHIR server", "url": base},
        "fhirVersion": context.definitions.version,
        "format": ["application/fhir+json", "json", "application/fhir+xml", "xml"],
        "patchFormat": ["application/fhir+json", "application/fhir+xml", *MEDIA_TYPES],
        "rest": [
            {
                "mode": "server",
                "security": {"cors": bool(context.config.cors_origins), "description": security},
                "resource": _resources(
                    context.definitions, tuple(context.interactions), context.config.conditional_delete_limit),
                "interaction": [{"code": code} for code in _of_system(context)],
                "searchParam": [{"name": name, "type": type_} for name, type_ in COMMON],
                "compartment": [_compartment(name) for name in context.definitions.compartments],
            }
        ],
    }


def _compartment(name: str) -> str:
    return f"http://hl7.org/fhir/CompartmentDefinition/{name[0].lower()}{name[1:]}"


def _of_system(context: Context) -> list[str]:
    known = context.definitions.codes(SYSTEM_LEVEL) or frozenset()
    return [*KINDS, *(one for one in context.interactions if one in known and one not in KINDS)]


@lru_cache(maxsize=4)
def _resources(definitions: Definitions, interactions: tuple[str, ...], deletes: int) -> list[Resource]:
    known = definitions.codes(TYPE_LEVEL) or frozenset()
    codes = [one for one in interactions if one in known]
    several = "multiple" if deletes > 1 else "single"
    includes, reverse = possible(definitions)
    return [
        {**_resource(type_, codes, definitions, several), "searchInclude": includes[type_],
         "searchRevInclude": reverse[type_]}
        for type_ in definitions.resource_types
    ]


def _operations(type_: str, definitions: Definitions) -> Resource:
    found = [{"name": one.code, "definition": one.url} for one in operations(type_, definitions)]
    return {"operation": found} if found else {}


def _resource(type_: str, codes: Sequence[str], definitions: Definitions, deletes: str) -> Resource:
    return {
        "type": type_,
        "profile": f"http://hl7.org/fhir/StructureDefinition/{type_}",
        "interaction": [{"code": code} for code in codes],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "full-support",
        "conditionalUpdate": True,
        "conditionalDelete": deletes,
        "searchParam": [
            {"name": one.code, "definition": one.url, "type": one.type} for one in supported(type_, definitions)
            if one.code not in definitions.building.get(type_, ())
        ],
        **_operations(type_, definitions),
    }
