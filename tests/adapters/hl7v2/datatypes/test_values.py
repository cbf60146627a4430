"""NM, CQ, SN, ED, RP: what is measured and what is enclosed."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.datatypes import ed, nm, sn
from fhir_server import fhirjson
from tests.adapters.hl7v2.reading import noted, repetition, scope

UCUM = "http://unitsofmeasure.org"
MG = {"unit": "mg/dL", "system": UCUM, "code": "mg/dL"}


@pytest.mark.parametrize("sent, digits", [
    ("7.20", "7.20"), ("１３．５", "13.5"), ("-0.5", "-0.5"), ("+3", "3"), (".5", "0.5"), ("1.3E+2", "1.3E+2"),
    ("1-4", None), ("NaN", None), ("Infinity", None), ("1_000", None), ("(−)", None), ("", None),
])
def test_a_number_keeps_its_digits(sent: str, digits: str | None) -> None:
    found = nm.number(sent)
    assert (str(found) if found is not None else None) == digits


def test_no_number_is_noted() -> None:
    within = scope()
    assert nm.decimal(repetition("many"), within) is None
    assert noted(within) == [("", "This is no number.")]


@given(st.text(alphabet="0123456789.+-eE０　<>", max_size=12))
def test_every_number_is_one_of_json(sent: str) -> None:
    found = nm.number(sent)
    assert found is None or fhirjson.decode(fhirjson.encode(found)) == found


@pytest.mark.parametrize("sent, found", [
    ("0.62", {"value": Decimal("0.62")}),
    ("<0.05", {"value": Decimal("0.05"), "comparator": "<"}),
    (" > 100", {"value": Decimal("100"), "comparator": ">"}),
    (">= 200", {"value": Decimal("200"), "comparator": ">="}),
    ("≦4", {"value": Decimal("4"), "comparator": "<="}),
    ("100以上", {"value": Decimal("100"), "comparator": ">="}),
    ("0.5未満", {"value": Decimal("0.5"), "comparator": "<"}),
    ("<100以上", None),
    (" 2 +", None),
    ("1-4", None),
    ("陰性", None),
])
def test_a_number_may_be_a_limit(sent: str, found: dict[str, Any] | None) -> None:
    assert nm.compared(sent) == found


@pytest.mark.parametrize("sent, found", [
    ("mg/dL^mg/dL^UCUM", MG),
    ("mg/dL^mg/dl^ISO+", {**MG, "unit": "mg/dl"}),
    ("mmol/L^mEq/L^ISO+", {"unit": "mEq/L", "system": UCUM, "code": "mmol/L"}),
    (".10*4/uL^.10*4/uL^99XYZ", {"unit": ".10*4/uL", "system": UCUM, "code": "10*4/uL"}),
    ("TAB^錠^MR9P", {
        "unit": "錠", "system": "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/MedicationUnitMERIT9Code", "code": "TAB"}),
    ("furlong^^L", {"unit": "furlong"}),
    ("^個", {"unit": "個"}),
    ("", {}),
])
def test_a_unit_has_a_code_only_where_one_is_certain(sent: str, found: dict[str, Any]) -> None:
    assert nm.unit(repetition(sent), scope()) == found


def test_a_composite_quantity() -> None:
    found = nm.quantity(repetition("6^mL&mL&UCUM"), scope())
    assert found == {"value": Decimal("6"), "unit": "mL", "system": UCUM, "code": "mL"}


@pytest.mark.parametrize("sent, found", [
    ("^0.01", {"valueQuantity": {"value": Decimal("0.01"), **MG}}),
    ("=^5", {"valueQuantity": {"value": Decimal("5"), **MG}}),
    ("<^0.01", {"valueQuantity": {"value": Decimal("0.01"), "comparator": "<", **MG}}),
    ("^1^-^4", {"valueRange": {"low": {"value": Decimal("1"), **MG}, "high": {"value": Decimal("4"), **MG}}}),
    ("^1^:^128", {"valueRatio": {"numerator": {"value": Decimal("1")}, "denominator": {"value": Decimal("128")}}}),
    ("^2^+", {"valueString": "2 + mg/dL"}),
    ("<>^7", {"valueString": "<> 7 mg/dL"}),
])
def test_a_structured_number_is_the_value_it_says(sent: str, found: dict[str, Any]) -> None:
    assert sn.value(repetition(sent), MG, scope()) == found


@pytest.mark.parametrize("sent, found", [
    ("^AP^PDF^Base64^JVBERi0=", {"contentType": "application/pdf", "data": "JVBERi0="}),
    ("^TEXT^plain^A^abc", {"contentType": "text/plain", "data": "YWJj"}),
    ("^IM^JPEG^Hex^ffd8", {"contentType": "image/jpeg", "data": "/9g="}),
    ("^IM^JPEG^Base64^===", None),
    ("^IM^JPEG^Base64^", None),
])
def test_enclosed_data_are_an_attachment(sent: str, found: object) -> None:
    assert ed.attachment(repetition(sent), scope()) == found


def test_a_pointer_is_an_attachment_elsewhere() -> None:
    found = ed.pointer(repetition("https://example.org/1^^IM^JPEG"), scope())
    assert found == {"contentType": "image/jpeg", "url": "https://example.org/1"}


def test_blanks_in_a_pointer_are_written_as_a_url_has_them() -> None:
    assert ed.pointer(repetition("https://example.org/a slide"), scope()) == {"url": "https://example.org/a%20slide"}


@pytest.mark.parametrize("sent, whole", [
    ("7", 7), ("７", 7), ("7.0", 7), ("0", 0), ("2147483647", 2147483647),
    ("2147483648", None), ("-1", None), ("1.5", None), ("x", None), ("", None),
])
def test_a_count_is_what_an_integer_of_fhir_can_hold(sent: str, whole: int | None) -> None:
    assert nm.count(sent) == whole
