"""Lists the codes of value sets from the code systems of the same package.

https://hl7.org/fhir/R4/valueset.html#compositions
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fhir_server.fhirjson import Resource

Coding = tuple[str, str]


class NotEnumerable(Exception):
    """The value set uses what the package cannot list: a code system from elsewhere, or a filter on properties."""


@dataclass(frozen=True)
class Terminology:
    """The value sets and code systems of a package, by URL."""

    value_sets: Mapping[str, Resource]
    code_systems: Mapping[str, Resource]


def expansions(
    urls: Iterable[str], value_sets: Iterable[Resource], code_systems: Iterable[Resource]
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Returns URL → code system → its codes, sorted, of those value sets that can be listed.

    Not listed are those on code systems that are published elsewhere: MIME types, languages, currencies, UCUM, LOINC.
    """
    terminology = Terminology({one["url"]: one for one in value_sets}, {one["url"]: one for one in code_systems})
    return {url: listed for url in urls if (listed := _listed(url, terminology))}


def codings(url: str, terminology: Terminology) -> set[Coding] | None:
    """Returns the `(system, code)` of a value set; None if they cannot be listed."""
    try:
        return _expand(url, terminology)
    except NotEnumerable:
        return None


def _listed(url: str, terminology: Terminology) -> dict[str, tuple[str, ...]]:
    try:
        codings = sorted(_expand(url, terminology))
    except NotEnumerable:
        return {}
    systems = dict.fromkeys(system for system, _ in codings)
    return {system: tuple(code for its, code in codings if its == system) for system in systems}


def _expand(url: str, terminology: Terminology) -> set[Coding]:
    definition = terminology.value_sets.get(url.partition("|")[0])
    if not definition or "compose" not in definition:
        raise NotEnumerable(url)
    compose = definition["compose"]
    included = set().union(*(_chosen(one, terminology) for one in compose["include"]))
    return included.difference(*(_chosen(one, terminology) for one in compose.get("exclude", [])))


def _chosen(include: Resource, terminology: Terminology) -> set[Coding]:
    """What one include or exclude names: the codes that all its conditions share."""
    sets = [_expand(url, terminology) for url in include.get("valueSet", [])]
    if "system" in include:
        sets.append({(include["system"], code) for code in _of_system(include, terminology)})
    if not sets:
        raise NotEnumerable("an include of nothing")
    return set.intersection(*sets)


def _of_system(include: Resource, terminology: Terminology) -> set[str]:
    if "concept" in include:
        return {one["code"] for one in include["concept"]}
    system = terminology.code_systems.get(include["system"])
    if not system or system["content"] != "complete":
        raise NotEnumerable(include["system"])
    kept = [_filtered(one, system) for one in include.get("filter", [])]
    return set(_codes(system.get("concept", []))).intersection(*kept)


def _filtered(condition: Resource, system: Resource) -> set[str]:
    if condition["op"] not in ("is-a", "descendent-of"):
        raise NotEnumerable(condition["op"])
    found = {code for one in concepts(system.get("concept", [])) if one["code"] == condition["value"]
             for code in _codes([one])}
    return found if condition["op"] == "is-a" else found - {condition["value"]}


def _codes(roots: Iterable[Resource]) -> Iterator[str]:
    return (one["code"] for one in concepts(roots))


def concepts(roots: Iterable[Resource]) -> Iterator[Resource]:
    """Yields the concepts and, below each, those it subsumes."""
    for one in roots:
        yield one
        yield from concepts(one.get("concept", []))
