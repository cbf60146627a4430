"""ZPR, 病名修飾: prefix modifiers, disease, suffix modifiers of a problem. JAHIS 病名情報データ交換規約; SS-MIX2 PPR-01.

Fields 1 to 3 hold management numbers, 4 to 6 the same as exchange codes; the name shown is all of them in a row.
"""

from itertools import zip_longest

from adapters.hl7v2.datatypes import cwe
from adapters.hl7v2.datatypes.dose import Coded, coded, coding
from adapters.hl7v2.datatypes.systems import MEDIS
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Segment
from fhir_server.fhirjson import Resource

EXTENSION = "http://jpfhir.jp/fhir/core/Extension/StructureDefinition/JP_Condition_Disease"
NUMBER, EXCHANGE = f"{MEDIS}master-disease-modKeyNumber", f"{MEDIS}master-disease-modExCode"
PREFIX, POSTFIX = (1, 4), (3, 6)
READ = (1, 2, 3, 4, 5, 6, 7)


def modifiers(zpr: Segment, scope: Scope) -> list[Resource]:
    """Returns the modifiers as extensions of Condition.code: prefixes, then suffixes, each once."""
    return [
        {"url": f"{EXTENSION}{name}Modifier", "valueCodeableConcept": one}
        for name, fields in (("Prefix", PREFIX), ("Postfix", POSTFIX))
        for one in _concepts(zpr, fields, scope)
    ]


def codings(zpr: Segment, scope: Scope) -> list[Resource]:
    """Returns the disease itself: number and exchange code."""
    return [one for at in (2, 5) for given in zpr[at].repetitions for one in cwe.codings(given, scope.at(zpr, at))]


def text(zpr: Segment, name: str) -> str:
    """Returns the whole name; `name` where ZPR does not name the disease itself."""
    disease = next((one[2] for at in (2, 5) for one in zpr[at].repetitions if one[2]), name)
    prefixes, postfixes = (_names(zpr, fields) for fields in (PREFIX, POSTFIX))
    return "".join((*prefixes, disease, *postfixes)) if disease else ""


def _names(zpr: Segment, fields: tuple[int, int]) -> list[str]:
    return [number.display or exchange.display for number, exchange in _pairs(zpr, fields)]


def _concepts(zpr: Segment, fields: tuple[int, int], scope: Scope) -> list[Resource]:
    found = []
    for number, exchange in _pairs(zpr, fields):
        stated = ((number, NUMBER), (exchange, EXCHANGE))
        codings = [_coding(given, uri, scope) for given, uri in stated if given.code]
        shown = number.display or exchange.display
        found.append({**({"coding": codings} if codings else {}), **({"text": shown} if shown else {})})
    return [one for one in found if one]


def _coding(given: Coded, uri: str, scope: Scope) -> Resource:
    """The table is called MDCDX2 like that of the diseases; a local one keeps its own system."""
    found = coding(given, scope)
    return {**found, "system": uri} if given.name == "MDCDX2" else found


def _pairs(zpr: Segment, fields: tuple[int, int]) -> list[tuple[Coded, Coded]]:
    """The same modifier stands at the same place in both fields."""
    number, exchange = ([coded(one) for one in zpr[at].repetitions] for at in fields)
    return list(zip_longest(number, exchange, fillvalue=Coded("", "", "")))
