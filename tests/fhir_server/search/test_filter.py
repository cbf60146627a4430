"""_filter: what is found, what drives, what is refused and where."""

from typing import Any

import pytest

from fhir_server.definitions.registry import load
from fhir_server.outcome import BadRequest, FHIRError, NotSupported
from fhir_server.search.plan import plan
from fhir_server.search.query import parse
from fhir_server.store.plan import Plan
from tests.fhir_server.search.conftest import Search

PATIENTS: list[dict[str, Any]] = [
    {"resourceType": "Patient", "id": "a", "name": [{"family": "Yamada", "given": ["Taro"]}], "gender": "male",
     "birthDate": "1990-05-01", "managingOrganization": {"reference": "Organization/o1"},
     "identifier": [{"system": "urn:a", "value": "1,2"}]},
    {"resourceType": "Patient", "id": "b", "name": [{"family": "Suzuki", "given": ["Hanako"]}], "gender": "female",
     "birthDate": "2001-01-31"},
    {"resourceType": "Patient", "id": "c", "name": [{"family": "O\"Hara", "given": ["John (Jack)"]}], "gender": "male",
     "birthDate": "1980", "identifier": [{"system": "urn:b", "value": "1"}]},
    {"resourceType": "Patient", "id": "d", "active": True},
]


@pytest.mark.parametrize("text, found", [
    ("gender eq male", "ac"),
    ("gender ne male", "bd"),
    ("gender pr true", "abc"),
    ("gender pr false", "d"),
    ('given sw "ta"', "a"),
    ("family co MAD", "a"),
    ('family eq "yamada"', "a"),
    ("family eq yama", ""),
    ("family ne YAMADA", "bcd"),
    ('given eq "John (Jack)"', "c"),
    (r'family eq "O\"Hara"', "c"),
    ('given eq "Taro" and birthdate ge 1990', "a"),
    ("birthdate lt 1990 or birthdate gt 2000", "bc"),
    ("gender eq female or gender eq male and birthdate lt 1985", "c"),
    ("gender eq female or (gender eq male and birthdate lt 1985)", "bc"),
    ("not (gender eq male)", "bd"),
    ("not (gender eq male and birthdate lt 1985)", "abd"),
    ("not (gender eq male or gender eq female)", "d"),
    ("not(not(gender eq male))", "ac"),
    ("(gender eq male) and not (family eq Yamada or active eq true)", "c"),
    ("identifier eq urn:a|1,2", "a"),
    ("identifier eq urn:b|1", "c"),
    ("organization re Organization/o1", "a"),
    ("organization eq o1", "a"),
    ("_id eq a or _id eq d", "ad"),
    ("_lastUpdated ge 2026-04-01T00:02:00Z", "cd"),
    ("  gender   eq male  ", "ac"),
])
def test_a_filter_finds_what_it_says(search: Search, text: str, found: str) -> None:
    assert "".join(sorted(search(PATIENTS, f"Patient?_filter={text.replace('+', '%2B')}"))) == found


def test_criteria_joined_by_and_drive_and_so_do_codes_joined_by_or() -> None:
    text = "gender eq male and (identifier eq 1 or identifier eq 2 or identifier eq 1) and not (active eq false)"
    assert plan(parse("Patient", [("_filter", text)], load())) == Plan(
        "Patient", keys=(("gender=male",), ("identifier=1", "identifier=2")),
        rest=({"$nor": [{"ix": {"$in": ["active=false"]}}]},))


@pytest.mark.parametrize("text, error, told", [
    ("gender", BadRequest, "_filter: at character 7 a value is expected, not ''."),
    ("gender eq", BadRequest, "_filter: at character 10 a value is expected, not ''."),
    ("eq eq eq eq", NotSupported, "_filter: Patient has no search parameter eq here."),
    ("(gender eq male", BadRequest, "_filter: at character 16 ) is expected, not ''."),
    ("gender eq male)", BadRequest, "_filter: at character 15 and, or, or the end is expected, not ')'."),
    ("gender eq male xor active eq true", BadRequest,
     "_filter: at character 15 and, or, or the end is expected, not 'xor active eq true'."),
    ("gender eq male and", BadRequest, "_filter: at character 19 a search parameter is expected, not ''."),
    ("1 eq 1", BadRequest, "_filter: at character 1 a search parameter is expected, not '1 eq 1'."),
    ('gender eq ""', BadRequest, "_filter has an empty value."),
    (r'gender eq "\q"', BadRequest, r'_filter: "\q" is no text in quotes as JSON has them.'),
    ('gender eq "a', BadRequest, "_filter: "),
    ("birthdate eq x", BadRequest, "birthdate: 'eqx' is no date such as"),
    ("gender pr maybe", BadRequest, "gender:missing is true or false, not 'maybe'."),
    ("not gender eq male", NotSupported, "_filter: Patient has no search parameter not here."),
    ("((((((((((((gender eq male))))))))))))", BadRequest, "_filter: parentheses are nested more than 10 deep."),
    (" or ".join(["gender eq male"] * 101), BadRequest, "_filter: at most 100 comparisons."),
    ("colour eq red", NotSupported, "_filter: Patient has no search parameter colour here."),
    ("gender:not eq male", NotSupported, "_filter: Patient has no search parameter gender:not here."),
    ("gender ge male", NotSupported, "_filter: gender does not support 'ge', only eq, ne,"),
    ("family ew a", NotSupported, "_filter: family does not support 'ew', only eq, ne, co, sw, pr."),
    ("name[use eq official].family eq x", NotSupported, "_filter: filters within a path, as in name[…], are not"),
    ("organization.name eq x or gender eq male", NotSupported, "_filter: a chain to another resource can be joined"),
    ("not (organization.name eq x)", NotSupported, "_filter: a chain to another resource can be joined"),
])
def test_a_filter_that_cannot_be_read_is_refused(text: str, error: type[FHIRError], told: str) -> None:
    with pytest.raises(error) as refused:
        parse("Patient", [("_filter", text)], load())
    assert str(refused.value).startswith(told)
    assert refused.value.issues[0].expression == "http._filter"
