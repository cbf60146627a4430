import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.parse import NULL, Unreadable, parse, read
from tests.adapters.hl7v2.data import message

MSH = "MSH|^~\\&|HIS|MINAMI|GW|HUB|20240603101500+0900||ADT^A08^ADT_A08|C1|P|2.5"


def field(text, number=1):
    return parse(f"{MSH}\rZZ1|{text}\r").first("ZZ1")[number]


def test_the_header_by_name():
    one = parse(MSH)
    assert (one.type, one.event, one.structure, one.control, one.version) == ("ADT", "A08", "ADT_A01", "C1", "2.5")
    assert (one.sender, one.application, one.time) == ("MINAMI", "HIS", "20240603101500+0900")
    assert (one.header[1].text, one.header[2].text) == ("|", "^~\\&")


@pytest.mark.parametrize("declared, structure", [
    ("ADT^A04^ADT_A04", "ADT_A01"), ("ADT^A31", "ADT_A05"), ("ORU^R01^ORU_R01", "ORU_R01"), ("ORU^R01", "ORU_R01"),
    ("QBP^Q22^QBP_Q21", "QBP_Q21"), ("PPR^ZD1^PPR_ZD1", "PPR_ZD1"), ("ORU^R01^ADT_A01", "ORU_R01"), ("ACK", "ACK")])
def test_the_structure_is_derived_where_the_declared_one_is_wrong(declared, structure):
    assert parse(MSH.replace("ADT^A08^ADT_A08", declared)).structure == structure


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n", "\r\r", "\n\n"])
def test_segment_ends(end):
    names = [one.name for one in parse(end.join([MSH, "EVN|A08", "PID|1"]) + end).segments]
    assert names == ["MSH", "EVN", "PID"]


def test_a_line_feed_is_data_where_carriage_returns_separate():
    assert parse(f"{MSH}\rNTE|1||a\nb\r").first("NTE")[3].text == "a\nb"


def test_repetitions_components_and_subcomponents():
    found = field("a^b&c^d~e^&f")
    first, second = found.repetitions
    assert [first[1], first[2], first.sub(2, 2), first[3], first[4]] == ["a", "b", "c", "d", ""]
    assert first.component(2) == "b&c"
    assert (second[1], second[2], second.sub(2, 2)) == ("e", "", "f")
    assert (found[1], found[2], found.text) == ("a", "b", "a^b&c^d")


def test_absent_empty_and_null():
    absent, null = field("a", 9), field(NULL)
    assert (bool(absent), absent.null, absent.text, absent[1], absent.repetitions) == (False, False, "", "", ())
    assert (bool(null), null.null, null.text, null[1], null.repetitions) == (True, True, "", "", ())


@pytest.mark.parametrize("written, meant", [
    (r"\F\\S\\T\\R\\E" + "\\", "|^&~\\"),
    (r"a\.br\b", "a\nb"),
    (r"a\.sp2\b", "a\n\nb"),
    (r"a\.sp\b", "a\nb"),
    (r"a\.sp99999\b", "a" + "\n" * 50 + "b"),
    (r"a\.in+4\b", "ab"),
    (r"\H\bold\N\ ", "bold "),
    (r"\X41E5B1B1\ ", "A山 "),
    (r"\X00\ ", r"\X00\ "),
    (r"\Z99\ ", r"\Z99\ "),
    ("a\\b", "a\\b"),
])
def test_escape_sequences(written, meant):
    assert field(written).text == meant


def test_a_component_is_unescaped_after_it_is_split():
    assert (field(r"a\S\b^c")[1], field(r"a\S\b^c")[2]) == ("a^b", "c")


def test_places():
    one = parse(f"{MSH}\rOBX|1\rOBX|2\r")
    assert [segment.place(5) for segment in one.all("OBX")] == ["OBX-5", "OBX[2]-5"]


def test_other_delimiters_are_honoured():
    one = parse("MSH#*!?%#HIS##########\rZZ1#a*b%c!d?F?e")
    assert [two.text for two in one.first("ZZ1")[1].repetitions] == ["a*b%c", "d#e"]
    assert one.first("ZZ1")[1].repetitions[0].sub(2, 2) == "c"


def test_the_fifth_delimiter_of_2_7_is_accepted():
    assert parse("MSH|^~\\&#|HIS|||||||||2.7\rPID|1").application == "HIS"


@pytest.mark.parametrize("text, code, place", [
    ("", "100", "MSH"),
    ("PID|1", "100", "MSH"),
    ("GET / HTTP/1.1", "100", "MSH"),
    ("MSH|^~\\\\&|HIS", "102", "MSH-2"),
    ("MSH|^^\\&|HIS", "102", "MSH-2"),
    ("MSHA^~\\&AHIS", "102", "MSH-2"),
    ("MSH|abcd|HIS", "102", "MSH-2"),
    ("MSH|^|HIS|||", "102", "MSH-2"),
    (f"{MSH}\rhello world", "100", ""),
    (f"{MSH}\r" + "ZZ1" + "|" * 501, "207", "ZZ1"),
    (f"{MSH}\r" + "NTE|1\r" * 20_001, "207", ""),
    (f"{MSH}\rPID|1||" + "1~" * 2_001, "207", ""),
    (f"{MSH}\rOBX|" + "x" * 9_000_000, "207", ""),
])
def test_what_is_no_message_is_refused_with_code_and_place(text, code, place):
    with pytest.raises(Unreadable) as refused:
        parse(text)
    assert (refused.value.code, refused.value.place) == (code, place)


def test_thirty_results():
    one = read(message("ORU_R01_30obx"))
    assert (len(one.segments), len(one.all("OBX")), one.all("OBX")[29].number) == (38, 30, 30)


def test_a_batch_is_no_message():
    with pytest.raises(Unreadable):
        read(message("batch_FHS_BHS_3msgs"))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n|")))
def test_any_field_keeps_its_text(text):
    assert field(text).raw == text


@given(st.text(st.sampled_from('MSH|^~\\&"\r\nOBXZ1 X.sp9')))
def test_any_text_is_a_message_or_refused(text):
    try:
        one = parse(f"{MSH}\r{text}")
    except Unreadable:
        return
    for segment in one.segments:
        for number in range(len(segment.fields)):
            assert isinstance(segment[number].text, str)
            assert all(isinstance(rep.sub(2, 2), str) for rep in segment[number].repetitions)
