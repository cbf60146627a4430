"""XAD, extended address → Address. HL7 v2.5 2.A.84; JP Core: the whole address in `text`."""

from adapters.hl7v2.datatypes import ts
from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource
from terminology.service import translate

PARTS = {"city": 3, "district": 9, "state": 4, "postalCode": 5, "country": 6}


def address(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns the Address, None where only codes were sent.

    SS-MIX2 has the whole address in component 8 and nothing in 1 to 4; others split it or put it all into 1. Nothing is
    split further: `state` and `city` only where the sender says them.
    """
    lines = [clean(repetition[one]) for one in (1, 2, 19) if clean(repetition[one])]
    parts = {name: clean(repetition[one]) for name, one in PARTS.items() if clean(repetition[one])}
    text = clean(repetition[8]) or _joined(repetition, lines)
    if not lines and not text and not parts.keys() - {"country"}:
        return None
    found = {**_kind(repetition, scope), "text": text, "line": lines, **parts}
    period = ts.period(repetition[13], repetition[14], scope)
    return {name: value for name, value in {**found, "period": period}.items() if value}


def _joined(repetition: Repetition, lines: list[str]) -> str:
    """A Japanese address reads from the prefecture to the house; one in letters is left to its parts."""
    whole = "".join((clean(repetition[4]), clean(repetition[3]), *lines))
    return "" if whole.isascii() else whole


def _kind(repetition: Repetition, scope: Scope) -> Resource:
    code = repetition[7]
    if not code:
        return {}
    use, type = translate("address-use", code), translate("address-type", code)
    if not use and not type:
        scope.note("The type of the address has no place in an Address.")
    return {**({"use": use.code} if use else {}), **({"type": type.code} if type else {})}
