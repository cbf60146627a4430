"""What a search parameter asks at a place where it is stored: worked out from the definitions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import tzinfo
from functools import lru_cache

from fhir_server.definitions.registry import Definitions, SearchParameter
from fhir_server.search.searchable import Place, Searchable, component_parameters
from fhir_server.search.term import Asked, Codes


@dataclass(frozen=True)
class Asking:
    """Where and how is asked: `base` of the server, `zone` of dates that name none."""

    type: str
    known: Searchable
    definitions: Definitions
    zone: tzinfo
    base: str = ""
    codes: Codes | None = None

    def at(self, parameter: SearchParameter, place: Place) -> Asked:
        """Returns what `parameter` asks of what is stored at `place`."""
        if place.code not in self.known.extractors:
            return self._plain(parameter, place)
        extract = self.known.extractors[place.code]
        systems = _systems(extract.value_sets, self.definitions) if extract.value_sets else None
        asked = replace(self._plain(parameter, place), types=extract.types, systems=systems)
        if parameter.type != "composite":
            return asked
        return replace(asked, parts=tuple(self._parts(place)), asunder=place.code in self.known.asunder)

    def _plain(self, parameter: SearchParameter, place: Place) -> Asked:
        return Asked(parameter, place.code, place.within, zone=self.zone, base=self.base, codes=self.codes,
                     text=self.definitions.text)

    def _parts(self, place: Place) -> Iterator[Asked]:
        """A component that is stored at several places leads nowhere: it has no code."""
        for one in component_parameters(self.known.parameters[place.code], self.type, self.definitions):
            places = self.known.places[one.code]
            asked = self.at(one, places[0])
            yield asked if len(places) == 1 else replace(asked, code="", within="")


@lru_cache(maxsize=1024)
def _systems(value_sets: frozenset[str], definitions: Definitions) -> frozenset[str] | None:
    """The code systems of the required value sets; None where one of them cannot be listed."""
    found = [definitions.systems(one) for one in value_sets]
    return frozenset(system for one in found if one for system in one) if found and all(found) else None
