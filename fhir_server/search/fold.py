"""Text as string search compares it: https://hl7.org/fhir/R4/search.html#string"""

import re
import unicodedata

# Accents of Latin, Greek and Cyrillic letters. The voicing marks of kana lie elsewhere: が is no か.
_ACCENTS = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """Returns `text` without its width (ﾔﾏﾀﾞ, ヤマダ), case, accents and extra spaces. No other rule folds."""
    wide = unicodedata.normalize("NFKD", text).casefold()
    return " ".join(unicodedata.normalize("NFC", _ACCENTS.sub("", wide)).split())
