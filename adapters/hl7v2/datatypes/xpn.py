"""XPN, extended person name → HumanName. HL7 v2.5 2.A.89; JP Core JP_HumanName.

A Japanese name comes once in kanji, once in kana, perhaps once in letters: one HumanName each, told apart by the
extension iso21090-EN-representation. JP Core searches `use = usual`, so a legal name (L) that states its
representation is `usual`, not `official`.
"""

import unicodedata

from adapters.hl7v2.datatypes import ts
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource
from terminology.service import translate

REPRESENTATION = "http://hl7.org/fhir/StructureDefinition/iso21090-EN-representation"

_REPRESENTATIONS = ("I", "P", "A")


def human_name(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns the HumanName, None where neither a family nor a given name was sent."""
    family, given = name_parts(repetition[1], [repetition[2], *repetition[3].split()])
    if not family and not given:
        return None
    use = _use(repetition, scope)
    shown: Resource = {"use": use} if use else {}
    representation = _representation(repetition, family + "".join(given))
    if representation:
        shown |= {"extension": [{"url": REPRESENTATION, "valueCode": representation}]}
        shown |= {"text": " ".join(filter(None, (family, *given)))}
    return shown | _parts(family, given, repetition) | _period(repetition, scope)


def name_parts(family: str, given: list[str]) -> tuple[str, list[str]]:
    """Returns family and given names; a whole Japanese name in the family's place is cut at its (full-width) space."""
    family, given = clean(family), [clean(one) for one in given if clean(one)]
    if given or family.isascii() or " " not in family:
        return family, given
    cut = family.split(" ", 1)
    return cut[0], [cut[1]]


def clean(text: str) -> str:
    """Returns `text` with half-width blanks only, single ones, none at the ends."""
    return " ".join(text.split())


def _parts(family: str, given: list[str], repetition: Repetition) -> Resource:
    parts: Resource = {
        "family": family,
        "given": given,
        "prefix": [clean(repetition[5])] if clean(repetition[5]) else [],
        "suffix": [clean(repetition[one]) for one in (4, 6) if clean(repetition[one])],
    }
    # Component 6 of some senders holds the name type that belongs in 7.
    if _misplaced(repetition):
        parts["suffix"] = [one for one in parts["suffix"] if one != repetition[6]]
    return {name: value for name, value in parts.items() if value}


def _misplaced(repetition: Repetition) -> bool:
    """Type in 6 and representation in 7, each one component too early."""
    return not repetition[8] and repetition[7] in _REPRESENTATIONS and repetition[6] in ("L", "D")


def _use(repetition: Repetition, scope: Scope) -> str | None:
    code = repetition[6] if _misplaced(repetition) else repetition[7]
    target = translate("name-type", code) if code else None
    if code and not target:
        scope.note("The type of the name is not in table 0200.")
    japanese = _representation(repetition, repetition[1] + repetition[2])
    if japanese and (not code or target and target.code == "official"):
        return "usual"
    return target.code if target else None


def _representation(repetition: Repetition, letters: str) -> str | None:
    """As stated; by the script of the name where nothing is; none for a name in letters that states none."""
    code = repetition[7] if _misplaced(repetition) else repetition[8]
    target = translate("name-representation", code) if code else None
    return target.code if target else _script(letters)


def _script(letters: str) -> str | None:
    names = [unicodedata.name(one, "") for one in letters if not one.isspace()]
    if any(one.startswith("CJK") for one in names):
        return "IDE"
    kana = ("KATAKANA", "HIRAGANA", "HALFWIDTH KATAKANA")
    return "SYL" if names and all(one.startswith(kana) for one in names) else None


def _period(repetition: Repetition, scope: Scope) -> Resource:
    start, end = repetition[12] or repetition.sub(10, 1), repetition[13] or repetition.sub(10, 2)
    period = ts.period(start, end, scope)
    return {"period": period} if period else {}
