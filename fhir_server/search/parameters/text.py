"""Full text: words of Latin text, parts of Japanese text. https://hl7.org/fhir/R4/search.html#content

`_content` searches all that people wrote in a resource, `_text` its narrative, `:text` what one element says. All
words asked for must be there, in any order.
"""

from collections.abc import Callable, Mapping, Sequence

from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.term import Alternative, Asked, Driven, Filter, Sift, key
from fhir_server.search.words import CONTENT, NARRATIVE, Word, words


# Words and parts of words that one value may ask for.
LIMIT = 50
# So many keys lead well enough where a pattern decides.
LEADING = 8


def content(asked: Asked, value: str) -> Alternative:
    return _anywhere(asked, value, (CONTENT, NARRATIVE))


def narrative(asked: Asked, value: str) -> Alternative:
    return _anywhere(asked, value, (NARRATIVE,))


def asked_words(asked: Asked, value: str) -> list[Word]:
    """Returns the words of a value; a blank parts words of Japanese text too. Raises BadRequest where there is none."""
    found = [word for part in value.split() for word in words(asked.fold(part))]
    if not found:
        raise BadRequest(f"{asked.parameter.code}: {value[:100]!r} has no word to search for.")
    if sum(len(one.grams) or 1 for one in found) > LIMIT:
        raise BadRequest(f"{asked.parameter.code}: at most {LIMIT} words, or parts of Japanese text, are searched for.")
    return found


def recheck_words(asked: Asked, value: str) -> Alternative:
    """Returns what finds the words in the texts rechecked under a code: `t` of its entries in `iv`."""
    found = asked_words(asked, value)
    patterns = [{"t": {"$regex": f"(*UCP){one.pattern}"}} for one in found]
    decides = {"iv": {"$elemMatch": {"$and": [{"p": asked.code}, *patterns]}}}
    return led(found, decides) if asked.text.full_text else Sift(decides)


def led(found: Sequence[Word], decides: Filter) -> Alternative:
    """Returns what the filter decides, led by the grams of the words."""
    drivers = [(key(CONTENT, gram),) for one in found for gram in one.grams]
    return Driven(tuple(dict.fromkeys(drivers))[:LEADING], decides) if drivers else Sift(decides)


def _anywhere(asked: Asked, value: str, under: Sequence[str]) -> Alternative:
    """Grams decide: that they stand side by side is not looked at, nor could it be without the text."""
    if not asked.text.full_text:
        raise NotSupported(f"{asked.parameter.code}: this server keeps no full text.")
    found = [one for one in asked_words(asked, value) if one.is_kept]
    drivers = [tuple(key(code, gram) for code in under) for one in found for gram in one.grams]
    # One Japanese character alone is the first or the last of a pair.
    single = [{"ix": {"$regex": f"^({'|'.join(under)})=.?{one.pattern}"}} for one in found if not one.grams]
    if not found:
        raise BadRequest(f"{asked.parameter.code}: {value[:100]!r} has only letters and words that are in every text.")
    if not drivers:
        return Sift({"$and": single})
    return Driven(tuple(dict.fromkeys(drivers)), {"$and": single} if single else {})


CONTENT_MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": content}
NARRATIVE_MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {"": narrative}
