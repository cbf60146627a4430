"""What goes wrong, in FHIR's words: one class per HTTP status, each rendered as an OperationOutcome.

https://hl7.org/fhir/R4/operationoutcome.html · https://hl7.org/fhir/R4/http.html#Status-Codes
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from fhir_server.fhirjson import Resource


@dataclass(frozen=True)
class Issue:
    """One OperationOutcome.issue; `expression` is a FHIRPath such as `Patient.name[0].family`."""

    text: str
    code: str = "invalid"
    expression: str | None = None
    severity: str = "error"

    def as_fhir(self) -> Resource:
        issue: Resource = {
            "severity": self.severity,
            "code": self.code,
            "details": {"text": self.text},
            "diagnostics": self.text,
        }
        return {**issue, "expression": [self.expression]} if self.expression else issue


class FHIRError(Exception):
    """The root of what a caller may see. `issues` says what is wrong and where; nothing of the inside."""

    status: ClassVar[int] = 500
    issue: ClassVar[str] = "exception"

    def __init__(self, text: str = "", *, expression: str | None = None, issues: Sequence[Issue] = ()) -> None:
        self.issues = tuple(issues) or (Issue(text, self.issue, expression),)
        super().__init__("; ".join(one.text for one in self.issues))

    def as_fhir(self) -> Resource:
        return operation_outcome(self.issues)

    def within(self, place: str) -> "FHIRError":
        """Returns the same error seen from outside, e.g. within `Bundle.entry[3].resource`."""
        moved = [replace(one, expression=_prefixed(place, one.expression)) for one in self.issues]
        return type(self)(issues=moved)


class BadRequest(FHIRError):
    status, issue = 400, "invalid"


class NotSupported(FHIRError):
    status, issue = 400, "not-supported"


class NotReady(FHIRError):
    """Like NotSupported, but for a while: nothing else may be answered instead, however lenient the client."""

    status, issue = 400, "not-supported"


class Unauthorized(FHIRError):
    status, issue = 401, "login"


class Forbidden(FHIRError):
    status, issue = 403, "forbidden"


class NotFound(FHIRError):
    status, issue = 404, "not-found"


class MethodNotAllowed(FHIRError):
    status, issue = 405, "not-supported"


class NotAcceptable(FHIRError):
    status, issue = 406, "not-supported"


class Conflict(FHIRError):
    status, issue = 409, "conflict"


class Gone(FHIRError):
    status, issue = 410, "deleted"


class PreconditionFailed(FHIRError):
    status, issue = 412, "conflict"


class TooLarge(FHIRError):
    status, issue = 413, "too-long"


class UnsupportedMediaType(FHIRError):
    status, issue = 415, "not-supported"


class Unprocessable(FHIRError):
    status, issue = 422, "processing"


class TooCostly(FHIRError):
    status, issue = 403, "too-costly"


class Unavailable(FHIRError):
    status, issue = 503, "transient"


def operation_outcome(issues: Sequence[Issue]) -> Resource:
    """Returns the OperationOutcome that holds `issues`."""
    return {"resourceType": "OperationOutcome", "issue": [one.as_fhir() for one in issues]}


def _prefixed(place: str, expression: str | None) -> str:
    """`Patient.name` seen from `Bundle.entry[0].resource` is `Bundle.entry[0].resource.name`."""
    if not expression:
        return place
    _, dot, rest = expression.partition(".")
    return place + dot + rest


def informational(text: str) -> dict[str, Any]:
    """Returns an OperationOutcome that only says something went well."""
    return operation_outcome([Issue(text, "informational", severity="information")])
