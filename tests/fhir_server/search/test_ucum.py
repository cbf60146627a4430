"""https://ucum.org/ucum"""

from decimal import Decimal

import pytest

from fhir_server.search.ucum import unit


@pytest.mark.parametrize("code, name, one", [
    ("mg/dL", "g.m-3", "10"),
    ("g/L", "g.m-3", "1000"),
    ("mm[Hg]", "g.m-1.s-2", "133322"),
    ("cm[H2O]", "g.m-1.s-2", "98066.5"),
    ("kPa", "g.m-1.s-2", "1000000"),
    ("Cel", "K", "274.15"),
    ("mmol/L", "m-3", "602214076000000000000000"),
    ("[IU]/L", "[iU].m-3", "1000"),
    ("10*3/uL", "m-3", "1000000000000"),
    ("10^3/ul", "m-3", "1000000000000"),
    ("mL/min/{1.73_m2}", "m3.s-1", "1.666666666666666666666666667E-8"),
    ("g/{24.h}", "g", "1"),
    ("mg/(kg.h)", "s-1", "2.777777777777777777777777778E-10"),
    ("/min", "s-1", "0.01666666666666666666666666667"),
    ("{tbl}", "1", "1"),
    ("%{vol}", "1", "0.01"),
    ("m2", "m2", "1"),
    ("[lb_av]", "g", "453.59237"),
    ("d", "s", "86400"),
    ("a", "s", "31557600"),
    ("meq/L", "m-3", "602214076000000000000000"),
])
def test_a_unit_is_so_many_base_units(code: str, name: str, one: str) -> None:
    found = unit(code)
    assert found and (found.name, found.canonical(Decimal(1))) == (name, Decimal(one))


@pytest.mark.parametrize("code", [
    "", "foo", "°C", "[pH]", "dB", "mg//dL", "/", "(mg", "mg)", "{", "Cel2", "mg/Cel", "m99", "(" * 100, "kkg",
    "x" * 101, "mg dL", "１"])
def test_what_is_no_unit_or_no_line_is_not_known(code: str) -> None:
    assert unit(code) is None
