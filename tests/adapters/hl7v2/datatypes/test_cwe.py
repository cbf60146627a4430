from typing import Any

import pytest

from adapters.hl7v2.datatypes import cwe
from tests.adapters.hl7v2.reading import repetition, scope

JLAC10 = "http://medis.or.jp/CodeSystem/master-JLAC10-17digits"
ALT = {"system": JLAC10, "code": "3B035000002327201", "display": "ＡＬＴ"}
LOCAL = {"system": "urn:kakehashi:1119999991:99X03", "code": "0611", "display": "GPT"}


@pytest.mark.parametrize("sent, found, key", [
    ("3B035000002327201^ＡＬＴ^JC10", {"coding": [ALT], "text": "ＡＬＴ"}, "3B035000002327201"),
    ("0611^GPT^99X03", {"coding": [LOCAL], "text": "GPT"}, "0611"),
    ("3B035000002327201^ＡＬＴ^JC10^0611^GPT^99X03", {"coding": [ALT, LOCAL], "text": "ＡＬＴ"}, "3B035000002327201"),
    ("0611^GPT^99X03^3B035000002327201^ＡＬＴ^JC10", {"coding": [LOCAL, ALT], "text": "GPT"}, "3B035000002327201"),
    ("^溶血", {"text": "溶血"}, "溶血"),
    ("0905^溶血", {"coding": [{"code": "0905", "display": "溶血"}], "text": "溶血"}, "0905"),
    ("^^JC10", None, None),
    ("R07.4^Chest pain^I10^^^^2.1^^Pain in the chest", {
        "coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "version": "2.1", "code": "R07.4",
                    "display": "Chest pain"}],
        "text": "Pain in the chest"}, "R07.4"),
])
def test_a_value_keeps_every_coding_and_its_text(sent: str, found: dict[str, Any] | None, key: str | None) -> None:
    stated = cwe.codeable_concept(repetition(sent), scope())
    assert stated == found
    assert (cwe.key(stated) if stated else None) == key


@pytest.mark.parametrize("name, code, system", [
    ("MDCDX2", "20061010", "http://medis.or.jp/CodeSystem/master-disease-keyNumber"),
    ("MDCDX2", "B1A2", "http://medis.or.jp/CodeSystem/master-disease-exCode"),
    ("HOT", "108665201", "http://medis.or.jp/CodeSystem/master-HOT9"),
    ("HOT9", "108665201", "http://medis.or.jp/CodeSystem/master-HOT9"),
    ("JC10", "023", "urn:kakehashi:CodeSystem:JC10"),
    ("I10", "K297", "http://jpfhir.jp/fhir/core/mhlw/CodeSystem/ICD10-2013-full"),
    ("J-FAGY", "J9FC11310000", "http://jpfhir.jp/fhir/core/CodeSystem/JP_JfagyFoodAllergen_CS"),
    ("HL70063", "SPO", "http://terminology.hl7.org/CodeSystem/v2-0063"),
    ("HL70241", "F", "http://jpfhir.jp/fhir/core/CodeSystem/HL70241"),
    ("JHSD0001", "C0", "urn:kakehashi:CodeSystem:JHSD0001"),
    ("LN", "718-7", "http://loinc.org"),
    ("99AL1", "K-77", "urn:kakehashi:1119999991:99AL1"),
    ("L", "K-77", "urn:kakehashi:1119999991:L"),
])
def test_a_coding_system_is_known_by_name_and_shape(name: str, code: str, system: str) -> None:
    assert cwe.coding(code, "", name, scope()) == {"system": system, "code": code}


@pytest.mark.parametrize("sent, found", [
    ("U", {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0007", "code": "U"}]}),
    ("U^Urgent^99Z", {
        "coding": [{"system": "urn:kakehashi:1119999991:99Z", "code": "U", "display": "Urgent"}], "text": "Urgent"}),
    ("^Urgent", {"text": "Urgent"}),
])
def test_a_code_of_a_table_that_names_no_system_is_of_that_table(sent: str, found: object) -> None:
    assert cwe.table("0007")(repetition(sent), scope()) == found


@pytest.mark.parametrize("sent, system", [
    ("08", "http://jami.jp/SS-MIX2/CodeSystem/ClinicalDepartment"),
    ("MEDIC", "http://terminology.hl7.org/CodeSystem/v2-0069"),
])
def test_a_department_is_one_of_ss_mix2_where_it_looks_like_one(sent: str, system: str) -> None:
    assert cwe.table("0069")(repetition(sent), scope()) == {"coding": [{"system": system, "code": sent}]}


def test_the_target_of_a_map_stands_before_what_was_sent() -> None:
    assert cwe.concept("marital-status")(repetition("G^Living^HL70002"), scope()) == {
        "coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "T"},
            {"system": "http://terminology.hl7.org/CodeSystem/v2-0002", "code": "G", "display": "Living"},
        ],
        "text": "Living",
    }
