"""CWE, CE, CNE, CF and IS: coded values → CodeableConcept, Coding. HL7 v2.5 2.A.13; jp-core: local codes stay.

A value holds up to three codings; which is the standard one is told by the name of its system, never by its position.
"""

from adapters.hl7v2.datatypes.systems import is_local, system
from adapters.hl7v2.datatypes.xpn import clean
from adapters.hl7v2.fields import Reader, Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource
from terminology.service import translate

# The first component of each coding, and the component that holds its version.
CODINGS = ((1, 7), (4, 8), (10, 13))
_NONE = ("",) * 13


def codeable_concept(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns the CodeableConcept, None where nothing was sent. `text` is what the sender called it."""
    parts = _parts(repetition)
    found = _codings(parts, scope)
    text = clean(parts[8] or parts[1] or parts[4])
    if not found and not text:
        return None
    return {**({"coding": found} if found else {}), **({"text": text} if text else {})}


def codings(repetition: Repetition, scope: Scope) -> list[Resource]:
    """Returns the codings in the order sent."""
    return _codings(_parts(repetition), scope)


def _parts(repetition: Repetition) -> list[str]:
    """The components at once: a laboratory's message has hundreds of coded values."""
    separators = repetition.separators
    sent = (one.partition(separators.subcomponent)[0] for one in repetition.raw.split(separators.component))
    return [*map(separators.unescape, sent), *_NONE]


def _codings(parts: list[str], scope: Scope) -> list[Resource]:
    found = (
        coding(parts[at - 1], parts[at], parts[at + 1], scope, parts[version - 1])
        for at, version in CODINGS
        if parts[at - 1]
    )
    return [one for one in found if one]


def coding(code: str, display: str, name: str, scope: Scope, version: str = "") -> Resource | None:
    """Returns one Coding of its parts, `name` being the coding system's in HL7 v2; None without a code."""
    code, display, name = clean(code), clean(display), clean(name)
    if not code:
        return None
    uri = {"system": system(name, code, scope)} if name else {}
    dated = {"version": version} if uri and version else {}
    return {**uri, **dated, "code": code, **({"display": display} if display else {})}


def table(number: str) -> Reader:
    """Returns a reader of codes that belong to HL7 table `number` where they name no system: user tables, IS."""

    def read(repetition: Repetition, scope: Scope) -> Resource | None:
        code, found = clean(repetition[1]), codeable_concept(repetition, scope)
        if not found or not code or clean(repetition[3]):
            return found
        first, *others = found["coding"]
        return {**found, "coding": [{"system": system(f"HL7{number}", code, scope), **first}, *others]}

    return read


def concept(concept_map: str) -> Reader:
    """Returns a reader that puts the target of a ConceptMap before what was sent."""

    def read(repetition: Repetition, scope: Scope) -> Resource | None:
        found = codeable_concept(repetition, scope)
        target = translate(concept_map, clean(repetition[1]))
        if not found or not target:
            return found
        known = target._asdict()
        stated = [one for one in found.get("coding", ()) if "system" in one and not known.items() <= one.items()]
        return {**found, "coding": [known, *stated]}

    return read


def key(found: Resource) -> str:
    """Returns what tells concepts apart: the first code that others know too, else the first code, else the text."""
    ranked = sorted(found.get("coding", ()), key=lambda one: is_local(one.get("system", "urn:kakehashi:")))
    return str(ranked[0]["code"] if ranked else found.get("text", ""))
