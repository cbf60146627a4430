"""https://hl7.org/fhir/R4/search.html#content · all words must be there, Japanese text is found by its parts"""

from typing import Any

import pytest

from fhir_server.config import Text
from fhir_server.definitions.registry import load
from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.query import parse
from tests.fhir_server.search.conftest import Search


def div(text: str) -> dict[str, str]:
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'}


CONDITIONS: list[dict[str, Any]] = [
    {"resourceType": "Condition", "id": "diabetes", "subject": {"reference": "Patient/p", "display": "架空 太郎"},
     "code": {"coding": [{"system": "urn:icd", "code": "E119", "display": "Type 2 diabetes mellitus"}],
              "text": "２型糖尿病"},
     "note": [{"text": "高血圧症も疑われる。HbA1c 7.2 %"}],
     "text": div("<p>Seen by the <b>diabet</b>ologist &amp; nurse; 要観察</p>")},
    {"resourceType": "Condition", "id": "asthma", "subject": {"reference": "Patient/p"},
     "code": {"coding": [{"system": "urn:icd", "code": "J459", "display": "Asthma, unspecified"}]},
     "extension": [{"url": "urn:remark", "valueString": "ぜんそく発作"}],
     "bodySite": [{"text": "Lung of type X"}]},
]


@pytest.mark.parametrize("query, found", [
    ("_content=diabetes", ["diabetes"]),
    ("_content=DIABETES type", ["diabetes"]),
    ("_content=type", ["asthma", "diabetes"]),
    ("_content=diab", []),
    ("_content=diabetes asthma", []),
    ("_content=diabetes,asthma", ["asthma", "diabetes"]),
    ("_content=糖尿病", ["diabetes"]),
    ("_content=2型 高血圧", ["diabetes"]),
    ("_content=尿", ["diabetes"]),
    ("_content=病", ["diabetes"]),
    ("_content=ゼンソク", ["asthma"]),
    ("_content=nurse", ["diabetes"]),
    ("_content=E119", []),
    ("_content=of lung", ["asthma"]),
    ("_text=nurse", ["diabetes"]),
    ("_text=要観察 nurse", ["diabetes"]),
    ("_text=diabetes", []),
    ("_text=strong", []),
    ("_text=xhtml", []),
    ("code:text=diabetes", ["diabetes"]),
    ("code:text=mellitus TYPE", ["diabetes"]),
    ("code:text=diabet", []),
    ("code:text=糖尿", ["diabetes"]),
    ("code:text=2型糖", ["diabetes"]),
    ("code:text=尿", ["diabetes"]),
    ("code:text=lung", []),
    ("code:text=高血圧", []),
    ("body-site:text=lung", ["asthma"]),
    ("code:text=unspecified,糖尿病", ["asthma", "diabetes"]),
])
def test_words_are_found_wherever_people_wrote_them(search: Search, query: str, found: list[str]) -> None:
    assert search(CONDITIONS, f"Condition?{query}") == [one for one in ["asthma", "diabetes"] if one in found]


@pytest.mark.parametrize("name, value, text", [
    ("_content", "...", "_content: '...' has no word to search for."),
    ("_content", "of x", "_content: 'of x' has only letters and words that are in every text."),
    ("_content", "word " * 51, "_content: at most 50 words, or parts of Japanese text, are searched for."),
    ("code:text", "-", "code: '-' has no word to search for."),
])
def test_what_has_no_word_is_refused(name: str, value: str, text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse("Condition", [(name, value)], load())
    assert str(refused.value) == text


def test_a_plain_code_says_nothing_in_words() -> None:
    with pytest.raises(NotSupported) as refused:
        parse("Patient", [("gender:text", "male")], load())
    assert str(refused.value) == "gender has only codes, no text: :text finds nothing there."


def test_without_full_text_nobody_asks_for_it() -> None:
    without = load().with_text(Text(full_text=False))
    with pytest.raises(NotSupported) as refused:
        parse("Condition", [("_content", "x")], without)
    assert str(refused.value) == "Condition has no search parameter _content here."
