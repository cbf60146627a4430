"""A resource as the inverted index keeps it: one array of keys for all its search parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from fhir_server.definitions.registry import Definitions
from fhir_server.fhirjson import Resource
from fhir_server.fhirpath.compile import Item
from fhir_server.outcome import TooLarge
from fhir_server.search.parameters import date
from fhir_server.search.searchable import Reader, Searchable, layout, searchable, supported
from fhir_server.search.term import key
from fhir_server.store.document import SearchValues
from fhir_server.store.plan import LIVE

__all__ = ["JST", "Index", "supported"]

JST = timezone(timedelta(hours=9), "JST")
# Keys and rechecks of one resource. MongoDB goes through them without a pause, once for each criterion of a search.
LIMIT = 5000


@dataclass(frozen=True)
class Index:
    """Makes search values. `zone` is meant by dates that name none."""

    definitions: Definitions
    zone: tzinfo = JST

    def values(self, resource: Resource, updated: datetime) -> SearchValues:
        """Returns what search finds `resource` by; `updated` is its last update. The resource must be valid.

        Raises TooLarge for more than LIMIT.
        """
        known = searchable(resource["resourceType"], self.definitions)
        keys, recheck = {LIVE}, []
        for code, branch, index_value in _present(resource, known):
            for value in branch.get(resource):
                for entry in index_value(Item(value, branch.type), self.zone):
                    keys.update([key(code, text) for text in entry.texts])
                    recheck += [{"p": code, **entry.recheck}] if entry.recheck else []
                    _refuse_many(len(keys) + len(recheck), resource)
        return SearchValues(
            keys=tuple(sorted(keys)), date=self._date(resource, known) or updated, recheck=recheck, hash=known.hash)

    def hash(self, type_: str) -> str:
        """Returns the hash of the search-parameter set of `type_`; values made with another are out of date."""
        return layout(type_, self.definitions).hash

    def _date(self, resource: Resource, known: Searchable) -> datetime | None:
        """The latest start of what the clinical date covers."""
        if not known.clinical:
            return None
        items = known.extractors[known.clinical](resource)
        return max((start for item in items for start, _ in date.spans(item, self.zone)), default=None)


def _refuse_many(number: int, resource: Resource) -> None:
    if number > LIMIT:
        raise TooLarge(f"The {resource['resourceType']} has more than {LIMIT} values that a search may ask for.")


def _present(resource: Resource, known: Searchable) -> Iterator[Reader]:
    """What may find something: most parameters of a type start from a member that a resource does not have."""
    yield from known.readers.get("", ())
    for member in resource:
        yield from known.readers.get(member, ())
