"""The ConceptMaps that ship with Kakehashi, one JSON file each, read when first asked for.

https://hl7.org/fhir/R4/conceptmap.html
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def concept_map(name: str) -> dict[str, Any]:
    """Returns the ConceptMap of that id, e.g. `administrative-sex`. Raises FileNotFoundError for a name of none."""
    text = files(__package__).joinpath(f"{name}.json").read_text(encoding="utf-8")
    resource: dict[str, Any] = json.loads(text)
    return resource
