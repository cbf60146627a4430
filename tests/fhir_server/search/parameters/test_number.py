"""https://hl7.org/fhir/R4/search.html#number"""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.search.parameters import number
from tests.fhir_server.search.conftest import Search


def assessment(id: str, probability: Any) -> dict[str, Any]:
    return {"resourceType": "RiskAssessment", "id": id, "status": "final", "subject": {"reference": "Patient/p"},
            "prediction": [probability]}


ASSESSMENTS = [
    assessment("negative", {"probabilityDecimal": Decimal("-1.5")}),
    assessment("zero", {"probabilityDecimal": 0}),
    assessment("small", {"probabilityDecimal": Decimal("0.00008")}),
    assessment("half", {"probabilityDecimal": Decimal("0.50")}),
    assessment("hundred", {"probabilityDecimal": Decimal("100.0")}),
    assessment("more", {"probabilityDecimal": Decimal("100.4")}),
]
ALL = ["negative", "zero", "small", "half", "hundred", "more"]


@pytest.mark.parametrize("query, found", [
    ("probability=100", ["hundred", "more"]),
    ("probability=100.0", ["hundred"]),
    ("probability=1e2", ["hundred", "more"]),
    ("probability=0.5", ["half"]),
    ("probability=8e-5", ["small"]),
    ("probability=ne100", ["negative", "zero", "small", "half"]),
    ("probability=gt100", ["more"]),
    ("probability=ge100", ["hundred", "more"]),
    ("probability=lt0.5", ["negative", "zero", "small"]),
    ("probability=le0.5", ["negative", "zero", "small", "half"]),
    ("probability=lt0", ["negative"]),
    ("probability=ap95", ["hundred", "more"]),
    ("probability=sa0.5", ["hundred", "more"]),
    ("probability=eb-1", ["negative"]),
    ("probability=-1.5,0.5", ["negative", "half"]),
    ("probability=gt-2&probability=lt0.4", ["negative", "zero", "small"]),
])
def test_numbers_are_as_precise_as_they_are_written(search: Search, query: str, found: list[str]) -> None:
    assert search(ASSESSMENTS, f"RiskAssessment?{query}") == [one for one in reversed(ALL) if one in found]


LONG = "1." + "0" * 900 + "1"


@pytest.mark.parametrize("query, found", [
    ("probability=1", ["long"]),
    ("probability=gt1", ["long"]),
    ("probability=le1", ["negative"]),
    ("probability=lt-1", ["negative"]),
    ("probability=ge-1", ["long"]),
])
def test_a_number_longer_than_its_text_still_has_its_place(search: Search, query: str, found: list[str]) -> None:
    assert search([
        assessment("long", {"probabilityDecimal": Decimal(LONG)}),
        assessment("negative", {"probabilityDecimal": Decimal(f"-{LONG}")}),
    ], f"RiskAssessment?{query}") == found


def test_the_text_of_a_number_has_an_end() -> None:
    assert number.text(Decimal(LONG)) == "2050000" + "1" + "0" * 199 + "!"
    assert number.text(Decimal(f"-{LONG}")) == "0949999" + "8" + "9" * 199 + "!~"


decimals = st.decimals(allow_nan=False, allow_infinity=False)


@given(decimals, decimals)
def test_the_text_of_numbers_sorts_as_the_numbers_do(one: Decimal, other: Decimal) -> None:
    left, right = number.text(one), number.text(other)
    assert (left < right, left == right) == (one < other, one == other)
