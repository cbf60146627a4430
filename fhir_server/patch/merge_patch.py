"""JSON Merge Patch: what is given replaces, null removes. https://www.rfc-editor.org/rfc/rfc7396"""

from collections.abc import Callable
from functools import partial
from typing import Any

from fhir_server.outcome import BadRequest
from fhir_server.patch.rules import Rules


def read(document: Any, rules: Rules) -> Callable[[Any], Any]:
    """Returns what merges `document` into a resource. Raises BadRequest for what is no JSON object."""
    if not isinstance(document, dict):
        raise BadRequest("A merge patch is a JSON object.")
    return partial(_merged, document)


def _merged(patch: Any, target: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    kept = target if isinstance(target, dict) else {}
    left = {name: value for name, value in kept.items() if name not in patch or patch[name] is not None}
    return {**left, **{name: _merged(value, kept.get(name)) for name, value in patch.items() if value is not None}}
