"""What is made alike, by settings; the rows of names are in parameters/test_string.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_server.config import Text
from fhir_server.search.fold import folding

NONE = Text(kana=False, voiced=False, kanji=False)


@pytest.mark.parametrize("settings, text, folded", [
    (NONE, "ﾔﾏﾀﾞ　たろう", "ヤマダたろう"),
    (NONE, "Müller  ÅSE", "muller ase"),
    (NONE, "髙橋", "髙橋"),
    (NONE, "か゛", "が"),
    (NONE, "いすゞ", "いすず"),
    (Text(voiced=False, kanji=False), "がっこう", "ガツコウ"),
    (Text(kana=False, kanji=False), "ガッコウ", "カッコウ"),
    (Text(kana=False, voiced=False), "渡邉 髙", "渡辺高"),
    (Text(), "ｶﾞｯｺｳ 渡邉", "カツコウ渡辺"),
    (Text(), "straße", "strasse"),
    (Text(), "①", "1"),
    (Text(), "東京 Tower 2", "東京 tower 2"),
    (Text(), "々", "々"),
    (Text(), "", ""),
])
def test_text_is_made_alike_as_the_settings_say(settings: Text, text: str, folded: str) -> None:
    assert folding(settings)(text) == folded


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
def test_folding_what_is_folded_changes_nothing(text: str) -> None:
    fold = folding(Text())
    assert fold(fold(text)) == fold(text)
