"""https://hl7.org/fhir/R4/search.html#quantity"""

from decimal import Decimal
from typing import Any

import pytest

from tests.fhir_server.search.conftest import Search

UCUM = "http://unitsofmeasure.org"


def observation(id: str, **content: Any) -> dict[str, Any]:
    return {"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, **content}


OBSERVATIONS = [
    observation("mg", valueQuantity={"value": Decimal("5.4"), "unit": "milligram", "system": UCUM, "code": "mg"}),
    observation("g", valueQuantity={"value": Decimal("5.4"), "unit": "g", "system": UCUM, "code": "g"}),
    observation("bare", valueQuantity={"value": Decimal("5.44")}),
    observation("text", valueQuantity={"value": 120, "unit": "mg"}),
    observation("both", component=[
        {"code": {"text": "a"}, "valueQuantity": {"value": 10, "system": UCUM, "code": "mg"}},
        {"code": {"text": "b"}, "valueQuantity": {"value": 90, "system": UCUM, "code": "g"}}]),
    observation("none", valueQuantity={"unit": "mg"}),
]


@pytest.mark.parametrize("query, found", [
    ("value-quantity=5.4", ["bare", "g", "mg"]),
    ("value-quantity=5.40", ["g", "mg"]),
    ("value-quantity=5.4|http://unitsofmeasure.org|mg", ["mg"]),
    ("value-quantity=5.4||mg", ["mg"]),
    ("value-quantity=5.4||milligram", ["mg"]),
    ("value-quantity=gt5.4||mg", ["text"]),
    ("value-quantity=ge5.4|http://unitsofmeasure.org|", ["g", "mg"]),
    ("value-quantity=lt5.41||g", ["g"]),
    ("value-quantity=ne5.4|http://unitsofmeasure.org|mg", ["g"]),
    ("value-quantity:missing=true", ["none", "both"]),
    ("component-value-quantity=10||mg", ["both"]),
    ("component-value-quantity=10||g", []),
    ("component-value-quantity=gt10||mg", []),
    ("combo-value-quantity=gt50", ["both", "text"]),
    ("combo-value-quantity=90||g,5.4||g", ["both", "g"]),
])
def test_a_number_and_its_unit_belong_together(search: Search, query: str, found: list[str]) -> None:
    assert search(OBSERVATIONS, f"Observation?{query}") == found
