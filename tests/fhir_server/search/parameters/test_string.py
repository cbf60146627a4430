"""https://hl7.org/fhir/R4/search.html#string"""

from typing import Any

import pytest

from tests.fhir_server.search.conftest import Search

LONG = "あ" * 250
PATIENTS: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "yamada", "name": [
        {"use": "official", "text": "山田　太郎", "family": "山田", "given": ["太郎"]}, {"family": "ヤマダ", "given": ["タロウ"]}]},
    {"resourceType": "Patient", "id": "muller", "name": [{"family": "Müller", "given": ["Anna", "Zoë"]}],
     "address": [{"line": ["1-2-3 Nihonbashi"], "city": "Chūō", "country": "JP"}]},
    {"resourceType": "Patient", "id": "long", "name": [{"text": LONG}]},
    {"resourceType": "Patient", "id": "odd", "name": [{"family": "a.*b$^(c,d\0e"}]},
]


@pytest.mark.parametrize("query, found", [
    ("name=山", ["yamada"]),
    ("name=ヤマ", ["yamada"]),
    ("name=ﾔﾏﾀﾞ", ["yamada"]),
    ("name=ヤマタ", ["yamada"]),
    ("name=ヤマト", []),
    ("name=山田 太郎", ["yamada"]),
    ("name=田", []),
    ("name:contains=田", ["yamada"]),
    ("phonetic=タロ", ["yamada"]),
    ("name=mull", ["muller"]),
    ("family=MÜLLER", ["muller"]),
    ("given=zoe", ["muller"]),
    ("family=anna", []),
    ("family:exact=Müller", ["muller"]),
    ("family:exact=Muller", []),
    ("family:exact=Mülle", []),
    ("family:exact=ヤマダ", ["yamada"]),
    ("family:exact=ﾔﾏﾀﾞ", []),
    ("name:contains=ULL", ["muller"]),
    ("family:contains=nna", []),
    ("address=chuo", ["muller"]),
    ("address:contains=nihon", ["muller"]),
    ("address-country=jp", ["muller"]),
    (f"name:exact={LONG}", ["long"]),
    (f"name:exact={LONG}あ", []),
    (f"name={LONG}", ["long"]),
    ("family=a.*b$^(c\\,d%00e", ["odd"]),
    ("family:contains=.*b$^(c\\,d%00", ["odd"]),
    ("family:exact=a.*b$^(c\\,d%00e", ["odd"]),
    ("family:contains=a.b", []),
    ("name=mull,山", ["muller", "yamada"]),
    ("given:missing=true", ["odd", "long"]),
    ("name=山&given=太", ["yamada"]),
])
def test_strings_are_found_by_their_start_whatever_width_case_and_accent(
    search: Search, query: str, found: list[str]
) -> None:
    assert search(PATIENTS, f"Patient?{query}") == found
