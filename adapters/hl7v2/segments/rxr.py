"""RXR, pharmacy/treatment route → route, site and method of a Dosage. HL7 v2.5 4.14.2; JP_MedicationDosage."""

from adapters.hl7v2.datatypes import cwe
from adapters.hl7v2.datatypes.dose import coded, coding
from adapters.hl7v2.fields import Field, Reader, Scope, first
from adapters.hl7v2.parse import Repetition
from fhir_server.fhirjson import Resource

SITE = "http://jami.jp/CodeSystem/MedicationBodySiteExternal"
METHOD = "http://jami.jp/CodeSystem/MedicationMethodDetailUsage"


def jami(uri: str) -> Reader:
    """Returns a reader of codes that JAMI's usage table names `JAMISDP01` too, but that are those of `uri`."""

    def read(repetition: Repetition, scope: Scope) -> Resource | None:
        given = coded(repetition)
        if given.name != "JAMISDP01":
            return cwe.codeable_concept(repetition, scope)
        return {"coding": [{**coding(given, scope), "system": uri}], "text": given.display or given.code}

    return read


DOSAGE = (
    Field("RXR-1", "route", cwe.codeable_concept, first),
    Field("RXR-2", "site", jami(SITE), first),
    Field("RXR-4", "method", jami(METHOD), first),
    Field("RXR-5", "additionalInstruction[]", cwe.codeable_concept),
)
