"""Compiled expressions find what the FHIRPath library finds, on the official examples and every standard parameter."""

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import groupby
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models

from fhir_server.definitions.registry import load
from fhir_server.fhirjson import decode
from fhir_server.fhirpath.compile import Item, Unsupported, extractor
from fhir_server.search.searchable import alternatives
from tests.r4_examples import examples


def resolve(references: list[Any]) -> list[ResourceNode]:
    """The library resolves nothing: as in a search, only the type is known."""
    found = [re.search(r"([A-Z]\w+)/[\w.-]+(/_history/[\w.-]+)?$", one.get("reference", "")) for one in references]
    types = [match.group(1) if match else one.get("type", "") for match, one in zip(found, references, strict=True)]
    return [ResourceNode.create_node({"resourceType": type}, type) for type in types]


def has_extension(nodes: list[Any], url: str) -> list[bool]:
    return [any(extension["url"] == url for one in nodes for extension in one.get("extension", ()))]


FUNCTIONS = {
    "resolve": {"fn": resolve, "arity": {0: []}},
    "hasExtension": {"fn": has_extension, "arity": {1: ["String"]}},
}


def interpreted(expression: str, type: str) -> Any:
    """The library's own evaluation; it wants `ofType` for `as` on collections, and the type's own name for Resource."""
    rewritten = re.sub(r"\((\S+) as (\w+)\)", r"\1.ofType(\2)", expression).replace(".as(", ".ofType(")
    named = re.sub(r"\b(Domain)?Resource\.", f"{type}.", rewritten)
    return fhirpathpy.compile(named, model=models["r4"], options={"userInvocationTable": FUNCTIONS})


def standard_expressions(type: str) -> Iterator[str]:
    for parameter in load().search_parameters(type).values():
        if parameter.type not in ("composite", "special") and parameter.code != "_id" and parameter.expression:
            yield " | ".join(alternatives(parameter.expression, type))


def comparable(values: list[Any]) -> set[str]:
    return {json.dumps(one, sort_keys=True, default=str) for one in values}


def plain(resource: Mapping[str, Any]) -> Any:
    """A copy for the library to annotate, numbers as it knows them."""
    return json.loads(json.dumps(resource, default=str))


BY_TYPE = [
    (type, [decode(raw) for _, raw in found])
    for type, found in groupby(examples(), key=lambda one: one[0].partition("-")[0])
]


@pytest.mark.parametrize("type, resources", BY_TYPE, ids=[type for type, _ in BY_TYPE])
def test_compiled_expressions_find_what_the_library_finds(type: str, resources: list[Any]) -> None:
    for expression in filter(None, standard_expressions(type)):
        extract, interpret = extractor(expression, type, load()), interpreted(expression, type)
        for resource in resources:
            found = [one.value for one in extract(plain(resource))]
            assert comparable(found) == comparable(interpret(plain(resource))), (expression, resource["id"])


OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "status": "final",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p/_history/2"},
    "effectivePeriod": {"start": "2024"},
    "valueQuantity": {"value": Decimal("1.0")},
    "performer": [{"reference": "Organization/o"}, {"display": "?", "type": "Patient"}],
    "note": [{"text": "a"}, {"text": "b"}],
    "extension": [{"url": "urn:a", "valueString": "A"}, {"url": "urn:b", "valueCode": "B"}],
}


@pytest.mark.parametrize("expression, found", [
    ("Observation.status", [Item("final", "code")]),
    ("Observation.effective", [Item({"start": "2024"}, "Period")]),
    ("(Observation.value as Quantity)", [Item({"value": Decimal("1.0")}, "Quantity")]),
    ("(Observation.value as string)", []),
    ("Observation.value.ofType(Quantity).value", [Item(Decimal("1.0"), "decimal")]),
    ("Observation.subject.where(resolve() is Patient)", [Item({"reference": "Patient/p/_history/2"}, "Reference")]),
    ("Observation.performer.where(resolve() is Patient)", [Item({"display": "?", "type": "Patient"}, "Reference")]),
    ("Observation.note[1].text", [Item("b", "markdown")]),
    ("Observation.note.where(text='a')", [Item({"text": "a"}, "Annotation")]),
    ("Observation.extension('urn:b').value", [Item("B", "code")]),
    ("Observation.hasExtension('urn:c')", [Item(False, "boolean")]),
    ("Observation.value.exists() and Observation.status != 'final'", [Item(False, "boolean")]),
    ("Observation.issued.exists().not()", [Item(True, "boolean")]),
    ("Observation.status | Patient.gender", [Item("final", "code")]),
    ("Observation.component.referenceRange.text", []),
])
def test_each_item_comes_with_its_type(expression: str, found: list[Item]) -> None:
    assert extractor(expression, "Observation", load())(OBSERVATION) == found


@pytest.mark.parametrize("expression, text", [
    ("Observation.colour", "There is no element Observation.colour."),
    ("Observation.status.lower()", "The function lower()."),
    ("Observation.value[0]", "An index into several elements at once."),
    ("Observation.status or Observation.code", "OrExpression in a search parameter's expression."),
])
def test_what_no_standard_parameter_uses_is_refused(expression: str, text: str) -> None:
    with pytest.raises(Unsupported) as refused:
        extractor(expression, "Observation", load())
    assert str(refused.value) == text
