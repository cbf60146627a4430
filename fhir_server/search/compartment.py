"""compartments: which resources belong to a patient, an encounter and so on, and the index keys that tell.

https://hl7.org/fhir/R4/compartmentdefinition.html
"""

from fhir_server.definitions.registry import Definitions
from fhir_server.search.searchable import all_ready, searchable
from fhir_server.search.term import key

# In a definition: the resource that the compartment is about.
ITSELF = "{def}"


def has_itself(name: str, type_: str, definitions: Definitions) -> bool:
    """Tells whether the resources of `type_` in a compartment are the one that it is about."""
    return ITSELF in definitions.compartment(name)[type_]


def within(name: str, id_: str, type_: str, definitions: Definitions) -> tuple[str, ...]:
    """Returns the keys of which a resource of `type_` has one where it refers to the one the compartment is about."""
    all_ready(type_, definitions)
    places = searchable(type_, definitions).places
    codes = [place.code for code in definitions.compartment(name)[type_] if code != ITSELF for place in places[code]]
    return tuple(dict.fromkeys(key(code, f"{name}/{id_}") for code in codes))
