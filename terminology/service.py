"""Terminology operations on resources that a handed-in look-up finds; nothing here knows a database.

https://hl7.org/fhir/R4/conceptmap-operation-translate.html
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from terminology.concept_maps import concept_map

ConceptMapLookUp = Callable[[str], Mapping[str, Any]]


class Coding(NamedTuple):
    """A code and the system it belongs to."""

    system: str
    code: str


def translate(name: str, code: str, look_up: ConceptMapLookUp = concept_map) -> Coding | None:
    """Returns what the ConceptMap `name` makes of `code`: its first target, else what `unmapped` says, else None."""
    found = _targets(name, look_up).get(code)
    return found or _unmapped(look_up(name), code)


@cache
def _targets(name: str, look_up: ConceptMapLookUp) -> Mapping[str, Coding]:
    """Every source code of a ConceptMap with its first target."""
    found: dict[str, Coding] = {}
    for group in look_up(name)["group"]:
        for element in group["element"]:
            found.setdefault(element["code"], Coding(group["target"], element["target"][0]["code"]))
    return found


def _unmapped(resource: Mapping[str, Any], code: str) -> Coding | None:
    for group in resource["group"]:
        rule = group.get("unmapped", {})
        if rule.get("mode") == "provided":
            return Coding(group["target"], code)
        if rule.get("mode") == "fixed":
            return Coding(group["target"], rule["code"])
    return None
