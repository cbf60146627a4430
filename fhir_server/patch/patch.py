"""The three ways to say a patch: https://hl7.org/fhir/R4/http.html#patch

Each reads its document once and returns what makes one resource into the next.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from fhir_server.fhirjson import Resource
from fhir_server.outcome import BadRequest, FHIRError, Unprocessable
from fhir_server.patch import fhirpath_patch, json_patch, merge_patch
from fhir_server.patch.rules import Rules

Apply = Callable[[Resource], Any]

PATCHES: Mapping[str, Callable[[Any, Rules], Apply]] = {
    "json-patch": json_patch.read,
    "merge-patch": merge_patch.read,
    "fhirpath": fhirpath_patch.read,
}

# Media types of patches that are no resource; a Parameters resource is a FHIRPath Patch.
MEDIA_TYPES: Mapping[str, str] = {
    "application/json-patch+json": "json-patch",
    "application/merge-patch+json": "merge-patch",
}


def patched(kind: str, document: Any, rules: Rules, place: str = "") -> Callable[[Resource], Resource]:
    """Returns what applies the patch `document` of a kind in PATCHES to a resource, which it may change.

    place  where the patch stands: `Bundle.entry[3].resource`
    Raises BadRequest for a patch that is none; what is returned raises Unprocessable where it does not fit.
    """
    try:
        return partial(_resource, PATCHES[kind](document, rules))
    except FHIRError as error:
        raise error.within(place) if place else error
    except RecursionError:
        raise BadRequest("The patch is nested too deeply.", expression=place or None) from None


def _resource(apply: Apply, resource: Resource) -> Resource:
    try:
        made = apply(resource)
    except RecursionError:
        raise Unprocessable("What the patch makes is nested too deeply.") from None
    if not isinstance(made, dict):
        raise Unprocessable("What the patch makes is no resource.")
    return made
