"""What comes from outside is seen, and does nothing."""

import pytest

from fhir_server.visible import visible


@pytest.mark.parametrize("text, seen", [
    ("山田 太郎 T-1", "山田 太郎 T-1"),
    ("\x1b[31mRED", "␛[31mRED"),
    ("\x1b]0;pwn\x07", "␛]0;pwn␇"),
    ("1\r\n2\t3\x00\x7f", "1␍␊2␉3␀␡"),
    ("\x9b31m\x85", "�31m�"),
    ("a\u202eb\u2066c\u200fd\u2028e", "a�b�c�d�e"),
])
def test_what_would_act_is_shown_instead(text: str, seen: str) -> None:
    assert visible(text) == seen
