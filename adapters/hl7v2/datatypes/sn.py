"""SN, structured numeric → the value[x] it is. HL7 v2.5 2.A.71: comparator, number, separator, number."""

from adapters.hl7v2.datatypes import nm
from adapters.hl7v2.fields import Scope
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource


def value(repetition: Repetition, unit: Resource, scope: Scope) -> Resource:
    """Returns one element of value[x]: `{"valueQuantity": …}`, `valueRange`, `valueRatio` or `valueString`."""
    sign, first, separator, second = (repetition[one].strip() for one in range(1, 5))
    low, high = nm.number(first), nm.number(second)
    comparator = nm.COMPARATORS.get(sign)
    if low is not None and not separator and (comparator or sign in ("", "=")):
        return {"valueQuantity": {"value": low, **({"comparator": comparator} if comparator else {}), **unit}}
    if separator == "-" and low is not None and high is not None:
        return {"valueRange": {"low": {"value": low, **unit}, "high": {"value": high, **unit}}}
    if separator in (":", "/") and low is not None and high is not None:
        return {"valueRatio": {"numerator": {"value": low}, "denominator": {"value": high}}}
    return {"valueString": " ".join(filter(None, (sign, first, separator, second, unit.get("unit"))))}
