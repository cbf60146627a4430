r"""The text of a search value: `\,` `\|` `\$` `\\` stand for the characters themselves.

https://hl7.org/fhir/R4/search.html#escaping
"""

import re

PREFIXES = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})

_ESCAPED = re.compile(r"\\([,|$\\])")


def split(text: str, separator: str, most: int = -1) -> list[str]:
    """Returns the pieces between separators that are not escaped, `most` cuts at most; escapes are kept."""
    if "\\" not in text:
        return text.split(separator, most)
    pieces, start, position = [], 0, 0
    while position < len(text) and most:
        if text[position] == "\\":
            position += 1
        elif text[position] == separator:
            pieces.append(text[start:position])
            start, most = position + 1, most - 1
        position += 1
    return [*pieces, text[start:]]


def unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def escape(text: str, special: str = ",|$\\") -> str:
    """Returns `text` as a value that means it, each of the `special` characters included."""
    return "".join(f"\\{one}" if one in special else one for one in text)


def prefixed(text: str) -> tuple[str, str]:
    """Returns the comparison and the rest: `ge2024` is `("ge", "2024")`, `2024` is `("eq", "2024")`."""
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)
