"""A resource as the inverted index keeps it: one array of keys for all its search parameters."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from fhir_server.definitions.registry import Definitions
from fhir_server.fhirjson import Resource
from fhir_server.search.parameters import PARAMETER_TYPES, date
from fhir_server.search.searchable import Searchable, searchable, supported
from fhir_server.search.term import key
from fhir_server.store.document import SearchValues
from fhir_server.store.plan import LIVE

__all__ = ["JST", "Index", "supported"]

JST = timezone(timedelta(hours=9), "JST")


@dataclass(frozen=True)
class Index:
    """Makes search values. `zone` is meant by dates that name none."""

    definitions: Definitions
    zone: tzinfo = JST

    def values(self, resource: Resource, updated: datetime) -> SearchValues:
        """Returns what search finds `resource` by; `updated` is its last update. The resource must be valid."""
        known = searchable(resource["resourceType"], self.definitions)
        keys, recheck = {LIVE: None}, []
        for code, extract in known.extractors.items():
            index = PARAMETER_TYPES[known.parameters[code].type].index
            for item in extract(resource):
                for entry in index(item, self.zone):
                    keys.update((key(code, one), None) for one in entry.texts)
                    recheck += [{"p": code, **entry.recheck}] if entry.recheck else []
        return SearchValues(
            keys=tuple(keys), date=self._date(resource, known) or updated, recheck=recheck, hash=known.hash)

    def hash(self, type_: str) -> str:
        """Returns the hash of the search-parameter set of `type_`; values made with another are out of date."""
        return searchable(type_, self.definitions).hash

    def _date(self, resource: Resource, known: Searchable) -> datetime | None:
        """The latest start of what the clinical date covers."""
        if not known.clinical:
            return None
        items = known.extractors[known.clinical](resource)
        return max((start for item in items for start, _ in date.spans(item, self.zone)), default=None)
