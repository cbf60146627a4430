"""A text that only begins as FHIRPath is none."""

import pytest

from fhir_server.fhirpath.grammar import is_expression


@pytest.mark.parametrize("text, expected", [
    ("Patient.name.given", True), ("Patient.name.where(use = 'official') | Patient.contact.name", True),
    ("(Observation.value as CodeableConcept)", True),
    ("", False), ("Patient.", False), ("Patient..name", False), ("Patient.name(", False), ("Patient.name)", False),
    ("Patient.name Patient.name", False), ("Patient.name.where(use = 'official)", False), ("山田", False),
    ("(" * 2000 + "Patient" + ")" * 2000, False),
])
def test_the_whole_text_must_be_an_expression(text: str, expected: bool) -> None:
    assert is_expression(text) is expected
