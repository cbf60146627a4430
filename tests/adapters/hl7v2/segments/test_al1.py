import pytest

from adapters.hl7v2.segments import al1
from tests.adapters.hl7v2.reading import noted, scope, segment

PATIENT = {"resourceType": "Patient", "id": "p1"}


@pytest.mark.parametrize("raw, category, criticality", [
    ("AL1|1|DA|P001^ペニシリン^99XYZ|SV", ["medication"], "high"),
    ("AL1|1|AA|K-77^ねこの毛^99AL1|MI", ["environment"], "low"),
    ("AL1|1|MC|X-01^ヨード造影剤^99AL1", None, "high"),
    ("AL1|1|FA|^さば", ["food"], None),
])
def test_an_allergy_has_its_category_and_how_bad_it_is(
    raw: str, category: list[str] | None, criticality: str | None
) -> None:
    found = al1.allergy(segment(raw), PATIENT, scope())
    assert found is not None
    assert (found.get("category"), found.get("criticality")) == (category, criticality)


def test_the_same_substance_is_the_same_allergy_however_it_shows() -> None:
    one = al1.allergy(segment("AL1|1|DA|P001^ペニシリン^99XYZ|MI|発疹"), PATIENT, scope())
    other = al1.allergy(segment("AL1|4|DA|P001^PC系^99XYZ|SV|呼吸困難~発疹"), PATIENT, scope())
    assert one is not None and other is not None
    assert one["id"] == other["id"]
    assert other["reaction"] == [{"manifestation": [{"text": "呼吸困難"}, {"text": "発疹"}]}]


def test_an_allergy_to_nothing_is_none() -> None:
    within = scope()
    assert al1.allergy(segment("AL1|1|DA"), PATIENT, within) is None
    assert noted(within) == [("AL1-3", "There is no substance.")]
