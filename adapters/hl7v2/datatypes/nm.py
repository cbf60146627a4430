"""NM and CQ: numbers and quantities → decimal, Quantity. HL7 v2.5 2.A.47, 2.A.20.

Digits stay as they were sent (7.20 stays 7.20); full-width ones become ASCII; what JSON cannot say is no number.
"""

import re
import unicodedata
from decimal import Decimal

from adapters.hl7v2.datatypes import cwe
from adapters.hl7v2.datatypes.systems import UCUM
from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource
from terminology.service import translate

_NUMBER = re.compile(r"[+-]?(?:\d{1,30}\.?\d{0,30}|\.\d{1,30})(?:[eE][+-]?\d{1,3})?")
_COMPARED = re.compile(r"(?P<sign><=|>=|<|>|≦|≧|≤|≥)?\s*(?P<number>[-+.\d]+)\s*(?P<word>以上|以下|未満|超)?")
COMPARATORS = {
    "<": "<", ">": ">", "<=": "<=", ">=": ">=", "≦": "<=", "≧": ">=", "≤": "<=", "≥": ">=",
    "以上": ">=", "以下": "<=", "未満": "<", "超": ">",
}


def decimal(repetition: Repetition, scope: Scope) -> Decimal | None:
    """Returns the number, None with a note for what is none."""
    found = number(repetition[1])
    if found is None and repetition[1]:
        scope.note("This is no number.")
    return found


def number(text: str) -> Decimal | None:
    """Returns `text` as a Decimal with its digits, None for what is no number."""
    plain = text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()
    return Decimal(plain) if _NUMBER.fullmatch(plain) else None


def count(text: str) -> int | None:
    """Returns a whole number from 0 to 2,147,483,647, all that an integer of FHIR holds; None for anything else."""
    value = number(text)
    return int(value) if value is not None and 0 <= value < 2**31 and value == value.to_integral_value() else None


def compared(text: str) -> Resource | None:
    """Returns value and, for `<0.05`, `> 100`, `0.5未満`, comparator of a Quantity; None for what is no number."""
    alone = number(text)
    if alone is not None:
        return {"value": alone}
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _COMPARED.fullmatch(plain)
    value = number(found["number"]) if found else None
    if not found or value is None or found["sign"] and found["word"]:
        return None
    sign = found["sign"] or found["word"]
    return {"value": value, **({"comparator": COMPARATORS[sign]} if sign else {})}


def unit(repetition: Repetition, scope: Scope) -> Resource:
    """Returns unit, system and code of a Quantity from a CE; UCUM where the sender says it or the table knows it."""
    code, display, name = clean(repetition[1]), clean(repetition[2]), clean(repetition[3])
    shown = {"unit": display or code} if display or code else {}
    if name == "UCUM":
        return {**shown, "system": UCUM, "code": code}
    target = translate("unit", code) or translate("unit", display)
    if target:
        return {**shown, **target._asdict()}
    coded = cwe.coding(code, "", name, scope) if name in STATED else None
    return {**shown, **({"system": coded["system"], "code": coded["code"]} if coded else {})}


# Unit tables whose codes are worth keeping beside the text, UCUM apart.
STATED = ("MR9P",)


def quantity(repetition: Repetition, scope: Scope) -> Resource | None:
    """Reads CQ: `5^d`, `6^mL&mL&UCUM`; None with a note where the first component is no number."""
    value = decimal(repetition, scope)
    if value is None:
        return None
    part = Repetition(repetition.component(2).replace("&", repetition.separators.component), repetition.separators)
    return {"value": value, **unit(part, scope)}
