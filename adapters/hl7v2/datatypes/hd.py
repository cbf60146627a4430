"""HD, hierarchic designator: who assigned an identifier. HL7 v2.5 2.A.36."""

from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition

PREFIXES = {"ISO": "urn:oid:", "UUID": "urn:uuid:", "GUID": "urn:uuid:", "URI": "", "URL": "", "DNS": "http://"}


def uri(repetition: Repetition, scope: Scope) -> str | None:
    """Returns the URI of a field that is an HD."""
    return designated(repetition[1], repetition[2], repetition[3], scope)


def designated(namespace: str, universal: str, kind: str, scope: Scope) -> str | None:
    """Returns the universal id as a URI, else one of the facility's for its namespace, else None."""
    prefix = PREFIXES.get(kind)
    if universal and prefix is not None and not any(map(str.isspace, universal)):
        return prefix + (universal.lower() if prefix == "urn:uuid:" else universal)
    return scope.local(namespace or universal) if namespace or universal else None


def component(repetition: Repetition, number: int, scope: Scope) -> str | None:
    """Returns the URI of a component that is an HD: CX.4, XCN.9."""
    return designated(repetition.sub(number, 1), repetition.sub(number, 2), repetition.sub(number, 3), scope)
