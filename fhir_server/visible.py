"""Text from outside, shown to people: nothing in it may steer a terminal, forge a line or turn the order of reading."""

# Control characters → their pictures: ␀ to ␟, ␡. Of C1, of line separators and of what turns the direction: �.
_SEEN = {
    **{code: 0x2400 + code for code in range(0x20)},
    0x7F: 0x2421,
    **dict.fromkeys(range(0x80, 0xA0), 0xFFFD),
    **dict.fromkeys((0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}


def visible(text: str) -> str:
    """Returns `text` with each character that would act, instead of being seen, replaced by one that is seen."""
    return text.translate(_SEEN)
