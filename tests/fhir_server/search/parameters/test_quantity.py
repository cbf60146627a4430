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


def measured(id: str, value: str, code: str) -> dict[str, Any]:
    return observation(id, valueQuantity={"value": Decimal(value), "system": UCUM, "code": code})


MEASURED = [
    measured("gram", "0.054", "g/L"),
    measured("milligram", "5.4", "mg/dL"),
    measured("amount", "5.4", "mmol/L"),
    measured("warm", "37.0", "Cel"),
    measured("hot", "104", "[degF]"),
    measured("rate", "60", "/min"),
    measured("cells", "4.5", "10*3/uL"),
    measured("units", "40", "U/L"),
    measured("inter", "40", "[IU]/L"),
    measured("tablets", "2", "{tbl}"),
    measured("acid", "7.4", "[pH]"),
    measured("strange", "5.4", "scoops"),
]


@pytest.mark.parametrize("query, found", [
    ("5.4|http://unitsofmeasure.org|mg/dL", ["milligram", "gram"]),
    ("0.054|http://unitsofmeasure.org|g/L", ["milligram", "gram"]),
    ("54|http://unitsofmeasure.org|ug/mL", ["milligram", "gram"]),
    ("gt0.05|http://unitsofmeasure.org|g/L", ["milligram", "gram"]),
    ("gt0.054|http://unitsofmeasure.org|g/L", []),
    ("ne5.4|http://unitsofmeasure.org|mmol/L", ["cells"]),
    ("5.4|http://unitsofmeasure.org|mmol/L", ["amount"]),
    ("5.4||mg/dL", ["milligram"]),
    ("5.4", ["strange", "amount", "milligram"]),
    ("98.6|http://unitsofmeasure.org|[degF]", ["warm"]),
    ("40|http://unitsofmeasure.org|Cel", ["hot"]),
    ("ge36|http://unitsofmeasure.org|Cel", ["hot", "warm"]),
    ("1|http://unitsofmeasure.org|Hz", ["rate"]),
    ("1|http://unitsofmeasure.org|/s", ["rate"]),
    ("4500|http://unitsofmeasure.org|/mm3", ["cells"]),
    ("40|http://unitsofmeasure.org|[iU]/L", ["inter"]),
    ("2|http://unitsofmeasure.org|1", ["tablets"]),
    ("2|http://unitsofmeasure.org|{tbl}", ["tablets"]),
    ("7.4|http://unitsofmeasure.org|[pH]", ["acid"]),
    ("5.4|http://unitsofmeasure.org|scoops", ["strange"]),
    ("5.4|http://example.org/units|mg/dL", []),
    ("ap5|http://unitsofmeasure.org|mg/dL", ["milligram", "gram"]),
    ("sa5|http://unitsofmeasure.org|mg/dL", ["milligram", "gram"]),
    ("eb5|http://unitsofmeasure.org|mg/dL", []),
    ("le0.0540|http://unitsofmeasure.org|g/L", ["milligram", "gram"]),
])
def test_units_of_ucum_are_compared_by_what_they_measure(search: Search, query: str, found: list[str]) -> None:
    assert search(MEASURED, f"Observation?value-quantity={query}") == found
