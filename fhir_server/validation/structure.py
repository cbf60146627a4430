"""Validation, first tier, of every write: structure, cardinality, types, formats and required codes.

https://hl7.org/fhir/R4/validation.html · The schema decides in Rust; only a refused resource is looked at in Python.
"""

from typing import Any

import jsonschema_rs

from fhir_server.definitions.registry import Definitions
from fhir_server.fhirjson import Resource
from fhir_server.outcome import Issue, Unprocessable
from fhir_server.validation.explain import Explainer
from fhir_server.validation.keywords import decider
from fhir_server.validation.schema import Schemas


class Validator:
    """Checks resources. The schema of a type is compiled when the first resource of that type comes."""

    def __init__(self, definitions: Definitions) -> None:
        self._schemas = Schemas(definitions)
        self._explainer = Explainer(self._schemas, self.accepts)
        self._deciders: dict[str, jsonschema_rs.Validator] = {}

    def schema(self, type_: str) -> Resource:
        """Returns the JSON Schema (2020-12) of a resource type, with the keywords of `schema.py`."""
        return self._schemas.schema(type_)

    def check(self, resource: Any) -> None:
        """Raises Unprocessable with an Issue for each fault (text, code, FHIRPath expression), 20 at most."""
        if not self.accepts(resource):
            issues = self._explainer.issues(resource)
            raise Unprocessable(issues=issues or [Issue("The resource cannot be written as JSON in UTF-8.")])

    def accepts(self, resource: Any) -> bool:
        """Says whether it is a valid resource of a known type, without saying why not."""
        type_ = self._schemas.type_of(resource)
        try:
            return bool(type_) and self._decider(type_).is_valid(resource)
        except UnicodeEncodeError:
            # A lone surrogate: text that no JSON in UTF-8 can carry.
            return False

    def _decider(self, type_: str) -> jsonschema_rs.Validator:
        if type_ not in self._deciders:
            self._deciders[type_] = decider(self.schema(type_), self.accepts)
        return self._deciders[type_]
