from typing import Any

import pytest

from adapters.hl7v2.datatypes import xpn
from tests.adapters.hl7v2.reading import repetition, scope


def japanese(representation: str, family: str, given: str) -> dict[str, Any]:
    return {
        "use": "usual",
        "extension": [{
            "url": "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation",
            "valueCode": representation,
        }],
        "text": f"{family} {given}",
        "family": family,
        "given": [given],
    }


@pytest.mark.parametrize("sent, found", [
    ("見本^次郎^^^^^L^I", japanese("IDE", "見本", "次郎")),
    ("ミホン^ジロウ^^^^^L^P", japanese("SYL", "ミホン", "ジロウ")),
    ("Mihon^Jiro^^^^^L^A", japanese("ABC", "Mihon", "Jiro")),
    ("権現堂　ひかる^^^^^^L^I", japanese("IDE", "権現堂", "ひかる")),
    ("仮渡辺^京助^^^^L^I", japanese("IDE", "仮渡辺", "京助")),
    ("見本^次郎", japanese("IDE", "見本", "次郎")),
    ("ﾐﾎﾝ^ｼﾞﾛｳ", japanese("SYL", "ﾐﾎﾝ", "ｼﾞﾛｳ")),
    ("髙橋^﨑太^^^^^L^I", japanese("IDE", "髙橋", "﨑太")),
    ("Thornbury^Amelia^Jane Mary^Jr^Ms^MD^L", {
        "use": "official", "family": "Thornbury", "given": ["Amelia", "Jane", "Mary"], "prefix": ["Ms"],
        "suffix": ["Jr", "MD"]}),
    ("van der Berg^^^^^^M^^^^^20200101^20210101", {
        "use": "maiden", "family": "van der Berg", "period": {"start": "2020-01-01", "end": "2021-01-01"}}),
    ("EVERYMAN&&&&Aniston^ADAM", {"family": "EVERYMAN", "given": ["ADAM"]}),
    ("^^^^^^L^I", None),
    ("", None),
])
def test_a_name_is_one_human_name_for_each_way_of_writing_it(sent: str, found: dict[str, Any] | None) -> None:
    assert xpn.human_name(repetition(sent), scope()) == found


def test_a_type_that_no_table_knows_is_noted() -> None:
    within = scope()
    assert xpn.human_name(repetition("Doe^^^^^^Q"), within) == {"family": "Doe"}
    assert [one.text for one in within.notes] == ["The type of the name is not in table 0200."]
