import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.charset import decode
from adapters.hl7v2.parse import Unreadable, read
from tests.adapters.hl7v2.data import message

MSH = b"MSH|^~\\&|HIS|H|GW|HUB|20240603||ADT^A08|1|P|2.5||||||"

# What the standard codec can encode, less the characters whose mapping cp932 chooses differently.
JIS = st.characters(codec="iso2022_jp", exclude_categories=["Cc", "Cs"], exclude_characters="\x1b‾¥＼〜−‖¢£¬～—―∥－￠￡￢")


@pytest.mark.parametrize("name, kanji, kana", [
    ("ADT_A08_iso2022jp", ("見本", "次郎"), ("ミホン", "ジロウ")),
    ("ADT_A08_msh18_nospace_iso2022jp", ("見本", "次郎"), ("ミホン", "ジロウ")),
    ("ADT_A08_msh18_caret_iso2022jp", ("見本", "次郎"), ("ミホン", "ジロウ")),
    ("ADT_A08_utf8", ("見本", "次郎"), ("ミホン", "ジロウ")),
    ("ADT_A08_halfwidth_kana_ir13_ir87", ("見本", "次郎"), ("ﾐﾎﾝ", "ｼﾞﾛｳ")),
    ("ADT_A08_unclosed_escape", ("見本", "次郎"), ("ミホン", "ジロウ")),
    ("ADT_A08_vendor_extension_chars_cp50221", ("髙橋", "﨑太"), ("タカハシ", "サキタ")),
    ("OML_O33_iso2022jp", ("試験", "花子"), ("シケン", "ハナコ")),
    ("ORU_R01_iso2022jp", ("見本", "次郎"), ("ミホン", "ジロウ")),
    ("PPR_ZD1_iso2022jp", ("見本", "次郎"), ("ミホン", "ジロウ")),
    ("RDE_O11_iso2022jp", ("見本", "次郎"), ("ミホン", "ジロウ")),
])
def test_names_in_every_way_they_are_sent(name, kanji, kana):
    names = read(message(name)).first("PID")[5].repetitions
    assert [(one.sub(1, 1), one[2]) for one in names] == [kanji, kana]


def test_the_segment_after_an_unclosed_escape_is_whole():
    broken = read(message("ADT_A08_unclosed_escape"))
    assert broken.first("AL1")[5].text == "発疹、呼吸困難"
    assert broken.first("DG1")[3][2] == "急性虫垂炎"


def test_vendor_characters_of_row_13():
    text = decode(message("ADT_A08_vendor_extension_chars_cp50221"))
    assert "①" in text and "㈱" in text


def test_undeclared_shift_jis_is_read_by_the_senders_setting():
    raw = message("ADT_A08_undeclared_shiftjis")
    assert read(raw, "shift_jis").first("PID")[5][1] == "見本"
    with pytest.raises(Unreadable) as refused:
        read(raw)
    assert (refused.value.code, refused.value.place) == ("102", "MSH-18")


def test_declared_seven_bit_with_other_bytes_is_refused_unless_the_sender_has_a_setting():
    raw = message("ADT_A08_declared_ir87_but_utf8")
    with pytest.raises(Unreadable) as refused:
        read(raw)
    assert (refused.value.code, refused.value.place) == ("102", "MSH-18")
    assert read(raw, "utf-8").first("PID")[5][1] == "見本"


@pytest.mark.parametrize("declared, text", [
    (b"8859/1", "é".encode("latin-1")),
    (b"8859/15", "€".encode("iso8859-15")),
    (b"UNICODE UTF-8", "é山".encode()),
    (b"unicode utf-8", "é山".encode()),
    (b"ISO IR6~ISO IR13~ISO IR87", b"\x1b$B;3\x1b(B"),
    (b"", b"\x1b$B;3\x1b(B"),
    (b"~ISO IR87", b"\x1b$@;3\x1b(J"),
    (b"~ISO IR159", b"\x1b$(D0!\x1b(B"),
])
def test_declared_character_sets(declared, text):
    expected = {
        b"8859/1": "é", b"8859/15": "€", b"UNICODE UTF-8": "é山", b"unicode utf-8": "é山", b"~ISO IR159": "丂",
    }.get(declared, "山")
    assert decode(MSH + declared + b"\rNTE|1||" + text + b"\r").endswith(f"|{expected}\r")


@pytest.mark.parametrize("raw", [
    MSH + b"UNICODE UTF-16\r",
    MSH + b"KLINGON\r",
    MSH + b"UNICODE UTF-8\rNTE|1||\xff\xfe\r",
    MSH + b"\rNTE|1||\xe5\xb1\xb1\r",
    MSH + b"\rNTE|1||a\x00b\r",
    MSH + b"\rNTE|1||a\x1cb\r",
    MSH + b"~ISO IR87\rNTE|1||\x1b$B;\x1b(B\r",
    MSH + b"~ISO IR87\rNTE|1||\x1b$B; \x1b(B\r",
    MSH + b"~ISO IR87\rNTE|1||\x1b%G\r",
    MSH + b"UNICODE UTF-8\rNTE|1||\x1b$B;3\x1b(B\xe5\xb1\xb1\r",
])
def test_what_cannot_be_decoded_is_refused_and_never_replaced(raw):
    with pytest.raises(Unreadable) as refused:
        decode(raw)
    assert refused.value.code == "102"


def test_a_byte_order_mark_is_no_content():
    assert decode(b"\xef\xbb\xbf" + MSH + b"\r") == (MSH + b"\r").decode()


@given(st.text(JIS))
def test_what_the_standard_codec_writes_is_read(text):
    assert decode(MSH + b"~ISO IR87\rNTE|1||" + text.encode("iso2022_jp") + b"\r").endswith(f"|{text}\r")


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"])))
def test_utf_8_is_read(text):
    assert decode(MSH + b"UNICODE UTF-8\rNTE|1||" + text.encode() + b"\r").endswith(f"|{text}\r")


@given(st.binary())
def test_any_bytes_are_text_or_refused(tail):
    try:
        assert isinstance(decode(MSH + b"~ISO IR87\r" + tail), str)
    except Unreadable as refused:
        assert refused.code == "102"
