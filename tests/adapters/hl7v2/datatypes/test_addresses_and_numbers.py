"""XAD, XTN, XCN, XON, PL: where and by whom."""

from typing import Any

import pytest

from adapters.hl7v2.datatypes import pl, xad, xcn, xon, xtn
from adapters.hl7v2.parse import Field, Separators
from tests.adapters.hl7v2.reading import repetition, scope

STAFF = "urn:oid:1.2.392.100495.20.3.41.11119999991"


@pytest.mark.parametrize("sent, found", [
    ("^^^^340-0115^JPN^H^埼玉県幸手市架空中４−５−６　ハイツ２０１", {
        "use": "home", "text": "埼玉県幸手市架空中４−５−６ ハイツ２０１", "postalCode": "340-0115", "country": "JPN"}),
    ("中之島九丁目^^大阪市北区^大阪府^5300005^JPN^B", {
        "use": "work", "text": "大阪府大阪市北区中之島九丁目", "line": ["中之島九丁目"], "city": "大阪市北区",
        "state": "大阪府", "postalCode": "5300005", "country": "JPN"}),
    ("PO Box 88^Flat 3^Easthaven^ES^4021^NZL^M^^Coastal", {
        "type": "postal", "line": ["PO Box 88", "Flat 3"], "city": "Easthaven", "district": "Coastal", "state": "ES",
        "postalCode": "4021", "country": "NZL"}),
    ("^^^^^JPN^H", None),
    ("", None),
])
def test_an_address_is_split_only_where_the_sender_split_it(sent: str, found: dict[str, Any] | None) -> None:
    assert xad.address(repetition(sent), scope()) == found


@pytest.mark.parametrize("sent, found", [
    ("^PRN^PH^^^^^^^^^06-5555-0142", {"system": "phone", "value": "06-5555-0142", "use": "home"}),
    ("^PRS^CP^^^090^55500177", {"system": "phone", "value": "090 55500177", "use": "mobile"}),
    ("^WPN^FX^^64^9^5550199^221", {"system": "fax", "value": "+64 9 5550199 X221", "use": "work"}),
    ("^NET^Internet^a@example.org", {"system": "email", "value": "a@example.org"}),
    ("^^^a@example.org", {"system": "email", "value": "a@example.org"}),
    ("099-417-6063", {"system": "phone", "value": "099-417-6063"}),
    ("^WPN^PH^^^^^^^^^", None),
])
def test_a_number_is_kept_as_it_is_dialled(sent: str, found: dict[str, Any] | None) -> None:
    assert xtn.contact_point(repetition(sent), scope()) == found


def test_the_field_says_the_use_where_the_number_does_not() -> None:
    assert xtn.used("work")(repetition("03-1"), scope()) == {"use": "work", "system": "phone", "value": "03-1"}
    assert xtn.used("work")(repetition("^PRN^PH^^^^^^^^^03-1"), scope()) == {
        "use": "home", "system": "phone", "value": "03-1"}


@pytest.mark.parametrize("sent, found", [
    ("D0101^北原^健一^^^^^^^L^^^^^I", {
        "type": "Practitioner", "identifier": {"system": STAFF, "value": "D0101"}, "display": "北原 健一"}),
    ("607^医師一郎^^^^^^^^L^^^^^I", {
        "type": "Practitioner", "identifier": {"system": STAFF, "value": "607"}, "display": "医師一郎"}),
    ("D1120^Anand^Priya^S^^Dr^MD^^N&2.16.840.1&ISO", {
        "type": "Practitioner", "identifier": {"system": "urn:oid:2.16.840.1", "value": "D1120"},
        "display": "Dr Priya S Anand"}),
    ("^Radon^Nicholas", {"type": "Practitioner", "display": "Nicholas Radon"}),
    ("^^^^^^^^^L", None),
])
def test_a_person_is_a_number_and_a_name(sent: str, found: dict[str, Any] | None) -> None:
    assert xcn.practitioner(repetition(sent), scope()) == found


@pytest.mark.parametrize("sent, numbers", [
    ("1^北原^健一^^^^^^^^^^^^I~1^キタハラ^ケンイチ^^^^^^^^^^^^P", ["1"]),
    ("1^北原^健一^^^^^^^^^^^^I~^キタハラ^ケンイチ^^^^^^^^^^^^P", ["1"]),
    ("1^北原^健一~2^南野^由美", ["1", "2"]),
    ("1^キタハラ^ケンイチ^^^^^^^^^^^^P", ["1"]),
])
def test_a_person_in_kanji_and_kana_is_one_person(sent: str, numbers: list[str]) -> None:
    assert [one[1] for one in xcn.persons(Field(sent, Separators()))] == numbers


@pytest.mark.parametrize("sent, found", [
    ("架空園芸株式会社^D", {"type": "Organization", "display": "架空園芸株式会社"}),
    ("Central Lab^L^^^^CLIA&2.16.840.1.113883.4.7&ISO^XX^^^99D1", {
        "type": "Organization", "identifier": {"system": "urn:oid:2.16.840.1.113883.4.7", "value": "99D1"},
        "display": "Central Lab"}),
    ("^L", None),
])
def test_an_organization_is_a_name_and_a_number(sent: str, found: dict[str, Any] | None) -> None:
    assert xon.organization(repetition(sent), scope()) == found


@pytest.mark.parametrize("sent, value, display", [
    ("E5^512^1^^^N", "E5/512/1", "E5 512 1"),
    ("08^^^^^C", "08", "08"),
    ("W3^^2", "W3//2", "W3 2"),
    ("4EAST^412^B^NORTHGEN^^N^^^Medical ward East", "4EAST/412/B", "Medical ward East"),
])
def test_a_bed_is_named_with_all_it_stands_in(sent: str, value: str, display: str) -> None:
    assert pl.location(repetition(sent), scope()) == {
        "type": "Location",
        "identifier": {"system": "urn:kakehashi:1119999991:location", "value": value},
        "display": display,
    }


def test_a_place_that_is_nowhere_is_none() -> None:
    assert pl.location(repetition("^^^^^N"), scope()) is None
