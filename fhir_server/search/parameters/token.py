"""token: a code, with or without its system; upper and lower case differ. https://hl7.org/fhir/R4/search.html#token

A coding has two keys, `code=8480-6` and `code=http://loinc.org|8480-6`; a plain code, whose system its element
implies, has one. Beside them: `t` what a coding says in words, `o` an identifier's type and value.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from fhir_server.outcome import BadRequest, NotSupported
from fhir_server.search.fold import Fold
from fhir_server.search.parameters.text import recheck_words
from fhir_server.search.term import Alternative, Asked, Driven, Entry, Keys, Rules, Sift, Store, key, keys
from fhir_server.search.term import starting
from fhir_server.search.value import split, unescape

_PRIMITIVES = frozenset({"boolean", "canonical", "code", "date", "dateTime", "id", "integer", "positiveInt", "string",
                         "unsignedInt", "uri", "url"})
# So much of what a coding says is searched.
TEXT_LIMIT = 200
# Keys of one value set: more than a search can merge in order, they only sift.
MERGED = 100
CODES_LIMIT = 20_000

Coding = tuple[str, str]


def _plain_code(code: str, value: Any, rules: Rules) -> Entry:
    return Entry((key(code, _plain(_written(value))),))


def _coding(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    return Entry(_kept_forms(code, value.get("system", ""), value.get("code", "")), _said(code, [value], "", rules))


def _concept(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    codings = value.get("coding", ())
    found = [form for one in codings for form in _kept_forms(code, one.get("system", ""), one.get("code", ""))]
    return Entry(found, _said(code, codings, value.get("text", ""), rules))


def _identifier(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    written = value.get("value", "")
    type_ = value.get("type", {})
    kinds = [f"{one.get('system', '')}|{one['code']}|{written}" for one in type_.get("coding", ()) if "code" in one]
    typed = [{"p": code, "o": kinds}] if kinds and written else []
    said = _said(code, type_.get("coding", ()), type_.get("text", ""), rules) if type_ else ()
    return Entry(_forms(code, value.get("system", ""), written), (*typed, *said))


def _contact(code: str, value: Mapping[str, Any], rules: Rules) -> Entry:
    return Entry(_forms(code, value.get("system", ""), value.get("value", "")))


INDEXED: Mapping[str, Store] = {
    **dict.fromkeys(_PRIMITIVES, _plain_code),
    "Coding": _coding,
    "CodeableConcept": _concept,
    "Identifier": _identifier,
    "ContactPoint": _contact,
}


def _forms(code: str, system: str, value: str) -> tuple[str, ...]:
    if not value:
        return (key(code, f"{system}|"),) if system else ()
    return key(code, _plain(value)), key(code, f"{system}|{value}")


# The same few codes stand in most resources; identifiers differ, and are not kept.
_kept_forms = lru_cache(maxsize=8192)(_forms)


def _said(code: str, codings: Sequence[Mapping[str, Any]], text: str, rules: Rules) -> Sequence[Mapping[str, Any]]:
    texts = [text, *(one.get("display", "") for one in codings)]
    return _kept_words(code, tuple(one[:TEXT_LIMIT] for one in texts if one), rules.fold)


@lru_cache(maxsize=8192)
def _kept_words(code: str, texts: tuple[str, ...], fold: Fold) -> Sequence[Mapping[str, Any]]:
    folded = list(dict.fromkeys(filter(None, map(fold, texts))))
    return ({"p": code, "t": folded},) if folded else ()


def _plain(code: str) -> str:
    r"""A code without its system; its own bars are escaped, so that it is never taken for a system and a code."""
    return code.replace("|", "\\|")


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def match(asked: Asked, value: str) -> Alternative:
    """`code`, `system|code`, `|code` (without system) or `system|` (any code of it)."""
    *system, code = map(unescape, split(value, "|", 1))
    if asked.within:
        return keys(asked.code, f"{asked.within}|{code}") if system in ([], [asked.within]) else Keys(())
    if not system:
        return keys(asked.code, _plain(code))
    if _is_implied(asked):
        return _implied(asked, system[0], code)
    return keys(asked.code, f"{system[0]}|{code}") if code else starting(asked.code, f"{system[0]}|")


def _is_implied(asked: Asked) -> bool:
    return asked.types <= _PRIMITIVES


def _implied(asked: Asked, system: str, code: str) -> Alternative:
    """A code whose system is not stored: the element's required value set knows it."""
    if asked.systems is not None and system not in asked.systems:
        return Keys(())
    return keys(asked.code, _plain(code)) if code else starting(asked.code, "")


def text(asked: Asked, value: str) -> Alternative:
    """Words of what a coding says: its text, its display, the type of an identifier."""
    if not asked.types & _WORDED:
        raise NotSupported(f"{asked.parameter.code} has only codes, no text: :text finds nothing there.")
    return recheck_words(asked, unescape(value))


_WORDED = frozenset({"Coding", "CodeableConcept", "Identifier"})


def of_type(asked: Asked, value: str) -> Alternative:
    """`system|code|value`: an identifier of a type. https://hl7.org/fhir/R4/search.html#modifieroftype"""
    pieces = [unescape(one) for one in split(value, "|")]
    if "Identifier" not in asked.types:
        raise NotSupported(f"{asked.parameter.code} has no identifiers: :of-type does not fit.")
    if len(pieces) != 3 or not pieces[1] or not pieces[2]:
        raise BadRequest(f"{asked.parameter.code}:of-type is system|code|value of an identifier's type, not {value!r}.")
    found = {"iv": {"$elemMatch": {"p": asked.code, "o": "|".join(pieces)}}}
    return Driven((keys(asked.code, _plain(pieces[2])).keys,), found)


def in_set(asked: Asked, value: str) -> Alternative:
    """The codes of a value set, by its URL."""
    url = unescape(value)
    found = asked.codes.value_set(url) if asked.codes else None
    if found is None:
        raise NotSupported(f"{asked.parameter.code}: the codes of the value set {url[:200]!r} cannot be listed here.")
    return _any_of(asked, found, f"the value set {url[:200]}")


def below(asked: Asked, value: str) -> Alternative:
    """A code and what it subsumes."""
    system, code = _coded(asked, value, "below")
    found = asked.codes.below(system, code) if asked.codes else None
    return _any_of(asked, _known(asked, found, value), value)


def above(asked: Asked, value: str) -> Alternative:
    """A code and what subsumes it."""
    system, code = _coded(asked, value, "above")
    found = asked.codes.above(system, code) if asked.codes else None
    return _any_of(asked, _known(asked, found, value), value)


def _coded(asked: Asked, value: str, modifier: str) -> Coding:
    *system, code = map(unescape, split(value, "|", 1))
    if not system and asked.systems and len(asked.systems) == 1:
        system = list(asked.systems)
    if not system or not system[0] or not code:
        raise BadRequest(f"{asked.parameter.code}:{modifier} is system|code, not {value!r}.")
    return system[0], code


def _known(asked: Asked, found: Sequence[Coding] | None, value: str) -> Sequence[Coding]:
    if found is None:
        raise NotSupported(f"{asked.parameter.code}: what is above and below {value!r} is not known here.")
    return found


def _any_of(asked: Asked, codes: Iterable[Coding], named: str) -> Alternative:
    """Many keys are not led by: each resource that something else leads to is looked up in them."""
    if _is_implied(asked):
        texts = [_plain(code) for system, code in codes if asked.systems is None or system in asked.systems]
    else:
        texts = [f"{system}|{code}" for system, code in codes]
    if len(texts) > CODES_LIMIT:
        raise NotSupported(f"{asked.parameter.code}: {named} has {len(texts)} codes; at most {CODES_LIMIT} are sought.")
    found = keys(asked.code, *dict.fromkeys(texts))
    return found if len(texts) <= MERGED else Sift(found.filter)


MODIFIERS: Mapping[str, Callable[[Asked, str], Alternative]] = {
    "": match, "not": match, "text": text, "of-type": of_type, "in": in_set, "not-in": in_set, "above": above,
    "below": below,
}
