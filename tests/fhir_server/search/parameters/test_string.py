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


def patient(id: str, **name: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, "name": [name]}


@pytest.mark.parametrize("name, query, found", [
    # Blanks between Japanese characters, of whatever width
    ({"text": "山田 太郎"}, "name=山田太郎", True),
    ({"text": "山田　太郎"}, "name=山田太郎", True),
    ({"text": "山田太郎"}, "name=山田 太郎", True),
    ({"text": "山田太郎"}, "name=山田　太", True),
    ({"family": "山田", "given": ["太郎"]}, "name=山田太郎", True),
    ({"family": "山田", "given": ["太郎"]}, "name=山田 太郎", True),
    ({"family": "山田", "given": ["太郎"]}, "name:exact=山田太郎", False),
    ({"family": "山田", "given": ["太郎"]}, "name:contains=田太", True),
    ({"family": "山田", "given": ["太郎"]}, "family=山田太郎", False),
    ({"text": "Yamada Taro"}, "name=YamadaTaro", False),
    ({"text": "Yamada Taro"}, "name=yamada taro", True),
    ({"text": "ＹＡＭＡＤＡ　太郎"}, "name=yamada 太郎", True),
    # Width
    ({"text": "ﾔﾏﾀﾞ ﾀﾛｳ"}, "name=ヤマダタロウ", True),
    ({"text": "ヤマダ タロウ"}, "name=ﾔﾏﾀﾞﾀﾛｳ", True),
    ({"text": "Ｔａｒｏ"}, "name=taro", True),
    # Hiragana and katakana, small and large, voiced and not
    ({"text": "やまだ"}, "name=ヤマダ", True),
    ({"text": "ヤマダ"}, "name=やまだ", True),
    ({"text": "きよし"}, "name=キヨシ", True),
    ({"text": "キョウコ"}, "name=キヨウコ", True),
    ({"text": "はった"}, "name=ハツタ", True),
    ({"text": "やまざき"}, "name=やまさき", True),
    ({"text": "ヤマサキ"}, "name=ヤマザキ", True),
    ({"text": "パク"}, "name=ハク", True),
    ({"text": "ヴィオラ"}, "name=ウイオラ", True),
    ({"text": "みづほ"}, "name=ミツホ", True),
    ({"text": "ヰスキー"}, "name=イスキー", True),
    ({"text": "か゛"}, "name=ガ", True),
    # Long vowels and marks of repetition
    ({"text": "スーザン"}, "name=ス－ザン", True),
    ({"text": "スーザン"}, "name=ｽｰｻﾞﾝ", True),
    ({"text": "スーザン"}, "name=スザン", False),
    ({"text": "佐々木"}, "name=佐佐木", True),
    ({"text": "佐佐木"}, "name=佐々木", True),
    ({"text": "いすゞ"}, "name=いすず", True),
    ({"text": "みすゞ"}, "name=ミスズ", True),
    # Old and new forms of kanji
    ({"text": "髙橋"}, "name=高橋", True),
    ({"text": "高橋"}, "name=髙橋", True),
    ({"text": "山﨑"}, "name=山崎", True),
    ({"text": "渡邊"}, "name=渡辺", True),
    ({"text": "渡邉"}, "name=渡邊", True),
    ({"text": "齋藤"}, "name=斎藤", True),
    ({"text": "齊藤"}, "name=斉藤", True),
    ({"text": "齋藤"}, "name=斉藤", False),
    ({"text": "黑澤"}, "name=黒沢", True),
    ({"text": "𠮷田"}, "name=吉田", True),
    ({"text": "濵田"}, "name=浜田", True),
    ({"text": "德川"}, "name=徳川", True),
    ({"text": "國澤"}, "name:contains=沢", True),
    ({"text": "神谷"}, "name=神谷", True),
    # What is asked exactly is as it was written
    ({"text": "髙橋"}, "name:exact=高橋", False),
    ({"text": "髙橋"}, "name:exact=髙橋", True),
    ({"text": "山田 太郎"}, "name:exact=山田太郎", False),
    ({"text": "山田 太郎"}, "name:exact=山田 太郎", True),
    ({"text": "やまだ"}, "name:exact=ヤマダ", False),
    # Parts, and words in any order
    ({"text": "長谷川 健太郎"}, "name:contains=谷川健", True),
    ({"text": "長谷川 健太郎"}, "name:contains=谷 川", True),
    ({"text": "長谷川 健太郎"}, "name:contains=郎", True),
    ({"text": "長谷川 健太郎"}, "name:contains=川郎", False),
    ({"text": "谷川長"}, "name:contains=長谷川", False),
    ({"text": "長谷川 健太郎"}, "name:text=健太郎 長谷川", True),
    ({"text": "長谷川 健太郎"}, "name:text=谷川", True),
    ({"text": "Anna Maria Smith"}, "name:text=smith anna", True),
    ({"text": "Anna Maria Smith"}, "name:text=smi", False),
    ({"text": "Anna Maria Smith"}, "name:contains=na mar", True),
    ({"text": "Anna Maria Smith"}, "name:contains=NA", True),
    ({"text": "Anna Maria Smith"}, "name:contains=annas", False),
    ({"text": "O'Hara-Smith"}, "name:contains=hara", True),
])
def test_japanese_names_are_found_as_people_write_them(
    search: Search, name: dict[str, Any], query: str, found: bool
) -> None:
    assert search([patient("it", **name)], f"Patient?{query}") == (["it"] if found else [])


@pytest.mark.parametrize("query, found", [
    ("address:text=日本橋", ["muller", "tokyo"]),
    ("address:text=Nihonbashi", ["roman"]),
    ("address:contains=honba", ["roman"]),
    ("address:contains=本橋1", ["tokyo"]),
    ("address:contains=１−２", []),
    ("address=東京都中央", ["tokyo"]),
    ("address-city:contains=央", ["tokyo"]),
])
def test_addresses_are_found_by_parts_and_words(search: Search, query: str, found: list[str]) -> None:
    addresses = {
        "tokyo": {"text": "東京都中央区日本橋1-2", "city": "中央区"},
        "roman": {"line": ["1-2 Nihonbashi"], "city": "Chuo"},
        "muller": {"line": ["日本橋 三越前"]},
    }
    patients = [{"resourceType": "Patient", "id": id, "address": [one]} for id, one in addresses.items()]
    assert search(patients, f"Patient?{query}") == found


@pytest.mark.parametrize("query, found", [
    ("name:contains=総合", True), ("name:contains=ENERA", True), ("name:contains=enara", False)])
def test_a_part_of_any_string_is_found(search: Search, query: str, found: bool) -> None:
    organizations = [{"resourceType": "Organization", "id": "o", "name": "架空総合病院", "alias": ["Kakuu General"]}]
    assert search(organizations, f"Organization?{query}") == (["o"] if found else [])
