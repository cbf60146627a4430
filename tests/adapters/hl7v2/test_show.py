"""A raw message for the eye."""

import pytest

from adapters.hl7v2.show import lines

RAW = b"MSH|^~\\&|HIS|HOSP\rPID|1||42^^^^PI||A^B\rOBX|1|NM|K||4.1\rOBX|2|NM|AST||high|U/L\r"


@pytest.mark.parametrize(
    "place, index, line",
    [
        ("OBX[2]-5", 3, ("OBX|2|NM|AST||", "high", "|U/L")),
        ("OBX-5", 2, ("OBX|1|NM|K||", "4.1", "")),
        ("OBX[1]-5", 2, ("OBX|1|NM|K||", "4.1", "")),
        ("PID-3", 1, ("PID|1||", "42^^^^PI", "||A^B")),
        ("PID-5.1", 1, ("PID|1||42^^^^PI||", "A^B", "")),
        ("MSH-4", 0, ("MSH|^~\\&|HIS|", "HOSP", "")),
        ("PID-8", 1, ("", "PID", "|1||42^^^^PI||A^B")),
        ("PID", 1, ("", "PID", "|1||42^^^^PI||A^B")),
    ],
)
def test_the_place_of_a_quarantine_is_marked(place: str, index: int, line: tuple[str, str, str]) -> None:
    assert [at for at, (_, marked, _) in enumerate(lines(RAW, place, "ascii")) if marked] == [index]
    assert lines(RAW, place, "ascii")[index] == line


@pytest.mark.parametrize("place", ["", "ZZZ-1", "OBX[9]-5", "OBX[0]-5", "Patient.name"])
def test_a_place_that_is_not_in_the_message_marks_nothing(place: str) -> None:
    assert lines(RAW, place, "ascii") == [
        ("MSH|^~\\&|HIS|HOSP", "", ""),
        ("PID|1||42^^^^PI||A^B", "", ""),
        ("OBX|1|NM|K||4.1", "", ""),
        ("OBX|2|NM|AST||high|U/L", "", ""),
    ]


@pytest.mark.parametrize(
    "raw, shown",
    [
        ("MSH|^~\\&|見本||||||||||||||~ISO IR87\r".encode("iso2022_jp"), "MSH|^~\\&|見本||||||||||||||~ISO IR87"),
        ("MSH|^~\\&|見本||||||||||||||UNICODE UTF-8\r".encode(), "MSH|^~\\&|見本||||||||||||||UNICODE UTF-8"),
        (b"no message\x07 at all \xff", "no message␇ at all \\xff"),
    ],
)
def test_a_message_is_decoded_as_it_says_and_shown_whatever_it_is(raw: bytes, shown: str) -> None:
    assert lines(raw, "", "ascii") == [(shown, "", "")]


def test_a_very_long_message_is_cut_and_says_so() -> None:
    shown = lines(b"MSH|" + b"x" * 5_000 + b"\r" + b"OBX|1\r" * 2_500, "", "ascii")
    assert shown[0] == ("MSH|" + "x" * 3_996 + " … (1004 more characters)", "", "")
    assert shown[2_000:] == [("… 501 more segments", "", "")]
