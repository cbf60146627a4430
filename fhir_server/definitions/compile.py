"""Compiles a FHIR package to the table of facts that ships with the server.

    python -m fhir_server.definitions.compile hl7.fhir.r4.core-4.0.1.tgz

Paths, cardinalities, types, bindings, expressions and codes; none of the prose. The same package gives the same bytes.
"""

import gzip
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

from fhir_server import fhirjson
from fhir_server.definitions import value_set
from fhir_server.definitions.package import resources
from fhir_server.definitions.registry import (
    TABLE, Element, Facts, Invariant, Operation, Parameter, SearchParameter, Structure)
from fhir_server.fhirjson import Resource

SYSTEM_TYPE = "http://hl7.org/fhirpath/System."
KINDS = ("resource", "complex-type", "primitive-type")
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
REGEX = "http://hl7.org/fhir/StructureDefinition/regex"


def main(arguments: Sequence[str]) -> None:
    if len(arguments) != 1:
        raise SystemExit(__doc__)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_bytes(packed(facts(resources(Path(arguments[0])))))


def packed(content: Facts) -> bytes:
    """Returns the bytes of the table: gzipped JSON without time stamp, defaults left out."""
    return gzip.compress(fhirjson.encode(_compact(content)), mtime=0)


def facts(package: Iterable[Resource]) -> Facts:
    """Returns the facts of a package's resources. Order in the package does not matter."""
    found: dict[str, list[Resource]] = {}
    for resource in package:
        found.setdefault(resource["resourceType"], []).append(resource)
    types = [one for one in _ordered(found, "StructureDefinition") if _is_type(one)]
    structures = {one["name"]: _structure(one) for one in types}
    # Ten parameters on extensions of CodeSystem and ValueSet name no type that they could be used on.
    parameters = [one for one in _ordered(found, "SearchParameter") if "base" in one]
    return Facts(
        version=types[0]["fhirVersion"],
        structures=structures,
        search_parameters=tuple(_search_parameter(one) for one in parameters if _standard(one)),
        compartments={
            one["code"]: _compartment(one) for one in _ordered(found, "CompartmentDefinition") if _standard(one)},
        value_sets=value_set.expansions(
            _required(structures.values()), found.get("ValueSet", []), found.get("CodeSystem", [])),
        operations=tuple(map(_operation, _ordered(found, "OperationDefinition"))),
    )


def _ordered(found: Mapping[str, list[Resource]], type_: str) -> list[Resource]:
    return sorted(found.get(type_, []), key=lambda one: str(one["url"]))


def _is_type(definition: Resource) -> bool:
    return definition["kind"] in KINDS and definition.get("derivation") != "constraint"


def _standard(definition: Resource) -> bool:
    """Says whether it holds for every server: the package carries examples too, which would shadow real ones."""
    return not definition["id"].startswith("example")


def _structure(definition: Resource) -> Structure:
    root, *below = definition["snapshot"]["element"]
    primitive = definition["kind"] == "primitive-type"
    return Structure(
        name=definition["name"],
        kind=definition["kind"],
        base=_last(definition.get("baseDefinition", "")),
        abstract=definition["abstract"],
        pattern=_pattern(below) if primitive else "",
        elements={} if primitive else {one["path"]: _element(one) for one in below},
        invariants=_invariants(root),
    )


def _element(definition: Resource) -> Element:
    binding = definition.get("binding", {})
    types = definition.get("type", [])
    return Element(
        name=_last(definition["path"], ".").removesuffix("[x]"),
        min=definition["min"],
        max=definition["max"],
        types=tuple(_type(one, definition) for one in types),
        choice=definition["path"].endswith("[x]"),
        plain=any(one["code"].startswith(SYSTEM_TYPE) for one in types),
        targets=tuple(sorted({_last(url) for one in types for url in one.get("targetProfile", [])})),
        binding=binding.get("strength", ""),
        value_set=binding.get("valueSet", "").partition("|")[0],
        content_reference=definition.get("contentReference", "").removeprefix("#"),
        summary=definition.get("isSummary", False),
        modifier=definition["isModifier"],
        invariants=_invariants(definition),
    )


def _type(type_: Resource, definition: Resource) -> str:
    """The FHIR type; the package names System.String for ids and URLs, and says `string` of the id of a resource."""
    if definition["base"]["path"] == "Resource.id":
        return "id"
    return str(_extension(type_, FHIR_TYPE) or type_["code"])


def _pattern(elements: Iterable[Resource]) -> str:
    types = (type_ for one in elements if one["path"].endswith(".value") for type_ in one["type"])
    return next((found for one in types if (found := _extension(one, REGEX))), "")


def _extension(holder: Resource, url: str) -> str:
    values = (one for one in holder.get("extension", []) if one["url"] == url)
    return next((one.get("valueUrl") or one["valueString"] for one in values), "")


def _invariants(definition: Resource) -> tuple[Invariant, ...]:
    """Its own ones: what has a `source` is repeated from the type that states it."""
    return tuple(
        Invariant(one["key"], one["severity"], one.get("expression", ""))
        for one in definition.get("constraint", []) if "source" not in one)


def _search_parameter(definition: Resource) -> SearchParameter:
    return SearchParameter(
        code=definition["code"],
        url=definition["url"],
        type=definition["type"],
        expression=definition.get("expression", ""),
        base=tuple(definition["base"]),
        target=tuple(definition.get("target", [])),
        components=tuple((one["definition"], one["expression"]) for one in definition.get("component", [])),
    )


def _compartment(definition: Resource) -> dict[str, tuple[str, ...]]:
    return {one["code"]: tuple(one["param"]) for one in definition["resource"] if one.get("param")}


def _operation(definition: Resource) -> Operation:
    return Operation(
        id=definition["id"],
        code=definition["code"],
        url=definition["url"],
        resources=tuple(definition.get("resource", [])),
        system=definition["system"],
        type=definition["type"],
        instance=definition["instance"],
        affects_state=definition.get("affectsState", False),
        parameters=tuple(_parameter(one, one["use"]) for one in definition.get("parameter", [])),
    )


def _parameter(definition: Resource, use: str) -> Parameter:
    return Parameter(
        name=definition["name"],
        use=use,
        min=definition["min"],
        max=definition["max"],
        type=definition.get("type", ""),
        search_type=definition.get("searchType", ""),
        parts=tuple(_parameter(one, use) for one in definition.get("part", [])),
    )


def _required(structures: Iterable[Structure]) -> list[str]:
    return sorted({
        one.value_set for structure in structures for one in structure.elements.values() if one.binding == "required"})


def _last(text: str, separator: str = "/") -> str:
    return text.rpartition(separator)[2]


def _compact(value: Any) -> Any:
    """The value as plain JSON; fields that hold their default are left out, and come back when it is read."""
    if is_dataclass(value):
        return {one.name: _compact(given) for one in fields(value)
                if (given := getattr(value, one.name)) != _default(one)}
    if isinstance(value, Mapping):
        return {key: _compact(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_compact(one) for one in value]
    return value


def _default(one: Field[Any]) -> Any:
    return one.default if one.default_factory is MISSING else one.default_factory()


if __name__ == "__main__":
    main(sys.argv[1:])
