"""XTN, extended telecommunication number → ContactPoint. HL7 v2.5 2.A.86."""

from adapters.hl7v2.datatypes import nm, ts
from adapters.hl7v2.fields import Reader, Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource
from terminology.service import translate

EMAIL = ("Internet", "X.400")


def contact_point(repetition: Repetition, scope: Scope) -> Resource | None:
    """Returns the ContactPoint, None where codes stand without a number."""
    value = _value(repetition)
    if not value:
        return None
    found: Resource = {"system": _system(repetition), "value": value, "use": _use(repetition)}
    found["rank"] = nm.count(repetition[18])
    found["period"] = ts.period(repetition[13], repetition[14], scope)
    return {name: one for name, one in found.items() if one}


def used(use: str) -> Reader:
    """Returns a reader for a field that says the use itself (PID-13 home, PID-14 work) where the number does not."""

    def read(repetition: Repetition, scope: Scope) -> Resource | None:
        found = contact_point(repetition, scope)
        return {"use": use, **found} if found else None

    return read


def _value(repetition: Repetition) -> str:
    if repetition[4] and (repetition[3] in EMAIL or not repetition[3]):
        return repetition[4].strip()
    return (repetition[12] or _dialled(repetition) or repetition[1]).strip()


def _dialled(repetition: Repetition) -> str:
    """Country, area and local number; strings, whose leading zeros count."""
    country = f"+{repetition[5].lstrip('+')}" if repetition[5] else ""
    extension = f"X{repetition[8]}" if repetition[8] else ""
    return " ".join(filter(None, (country, repetition[6], repetition[7], extension))) if repetition[7] else ""


def _system(repetition: Repetition) -> str:
    target = translate("telecommunication-equipment", repetition[3])
    if repetition[4] and not repetition[3]:
        return "email"
    return target.code if target else "phone"


def _use(repetition: Repetition) -> str | None:
    if repetition[3] == "CP":
        return "mobile"
    target = translate("telecommunication-use", repetition[2])
    if not target and repetition[2] == "EMR":
        return "home"
    return target.code if target else None
