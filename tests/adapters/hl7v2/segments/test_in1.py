from typing import Any

import pytest

from adapters.hl7v2.segments import in1
from tests.adapters.hl7v2.reading import noted, scope, segment

PATIENT = {"resourceType": "Patient", "id": "p1"}
INSURER = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/InsurerNumber"
PUBLIC = "http://jpfhir.jp/fhir/core/mhlw/IdSystem/PublicPayerNumber"


def coverage(raw: str) -> dict[str, Any]:
    found = in1.coverage(segment(raw), PATIENT, scope())
    assert found is not None
    return found


@pytest.mark.parametrize("raw, kind, insurer, member, subscriber", [
    ("IN1|1|C0^国民健康保険^JHSD0001|141116|市||||||123~1234567~01", "2", (INSURER, "141116"),
     "00141116:123:1234567:01", "123:1234567"),
    ("IN1|1|39^後期高齢者^JHSD0001|39119999|連合|||||||00123456", "7", (INSURER, "39119999"),
     "39119999::00123456:", "00123456"),
    ("IN1|1|12^生活保護^JHSD0001|12119999|福祉事務所|||||||7654321", "8", (PUBLIC, "12119999"), None, "7654321"),
])
def test_a_japanese_insurance_has_its_kind_its_insurer_and_its_number(
    raw: str, kind: str, insurer: tuple[str, str], member: str | None, subscriber: str
) -> None:
    found = coverage(raw)
    payor = found["payor"][0]["identifier"]
    assert found["type"]["coding"][0]["code"] == kind
    assert (payor["system"], payor["value"]) == insurer
    assert [one["value"] for one in found.get("identifier", ())] == ([member] if member else [])
    assert found["subscriberId"] == subscriber


def test_symbol_number_and_branch_are_kept_apart() -> None:
    extensions = coverage("IN1|1|C0^国保^JHSD0001|141116|市||||||123~1234567~01")["extension"]
    assert {one["url"].rpartition("JP_Coverage_")[2]: one["valueString"] for one in extensions} == {
        "InsuredPersonSymbol": "123", "InsuredPersonNumber": "1234567", "InsuredPersonSubNumber": "01"}


def test_a_relationship_of_words_alone_has_no_coding() -> None:
    found = coverage("IN1|1|C0^国保^JHSD0001|141116|市|||||||||||||^本人")
    assert found["relationship"] == {"text": "本人"}


def test_an_insurance_without_an_insurer_is_none() -> None:
    within = scope()
    assert in1.coverage(segment("IN1|1|C0^国保^JHSD0001"), PATIENT, within) is None
    assert noted(within) == [("IN1-3", "There is no insurer.")]
