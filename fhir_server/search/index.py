"""A resource as the inverted index keeps it: one array of keys for all its search parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import cached_property
from typing import Any

from fhir_server.definitions.registry import Definitions
from fhir_server.fhirjson import Resource
from fhir_server.fhirpath.compile import Item
from fhir_server.outcome import TooLarge
from fhir_server.search import content
from fhir_server.search.parameters import date
from fhir_server.search.searchable import Reader, Searchable, layout, searchable, supported
from fhir_server.search.sort import Choose
from fhir_server.search.term import Rules
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

    @cached_property
    def rules(self) -> Rules:
        return Rules(self.zone, self.definitions.text)

    def values(self, resource: Resource, updated: datetime) -> SearchValues:
        """Returns what search finds `resource` by; `updated` is its last update. The resource must be valid.

        Raises TooLarge for more than LIMIT, words of its text apart.
        """
        known = searchable(resource["resourceType"], self.definitions)
        keys, recheck, sortable = self._read(resource, known)
        if self.rules.text.full_text:
            keys |= content.keys(resource, self.definitions, self.rules.fold)
        clinical = self._date(resource, known) or updated
        return SearchValues(tuple(sorted(keys)), clinical, sortable, recheck, known.hash)

    def _read(
        self, resource: Resource, known: Searchable
    ) -> tuple[set[str], list[Mapping[str, Any]], dict[str, str]]:
        """Returns keys, rechecks, and what can be sorted by."""
        keys, recheck, rules = {LIVE}, list[Mapping[str, Any]](), self.rules
        ordering: dict[str, tuple[Choose, list[Sequence[str]]]] = {}
        for code, get, store, choose in _present(resource, known):
            for value in get(resource):
                made, beside = store(code, value, rules)
                keys.update(made)
                recheck += beside
                if choose and made:
                    ordering.setdefault(code, (choose, []))[1].append(made)
            if len(keys) + len(recheck) > LIMIT:
                raise TooLarge(
                    f"The {resource['resourceType']} has more than {LIMIT} values that a search may ask for.")
        return keys, recheck, {code: choose(found) for code, (choose, found) in ordering.items()}

    def hash(self, type_: str) -> str:
        """Returns the hash of the search-parameter set of `type_`; values made with another are out of date."""
        return layout(type_, self.definitions).hash

    def _date(self, resource: Resource, known: Searchable) -> datetime | None:
        """The latest start of what the clinical date covers."""
        if not known.clinical:
            return None
        found = [
            start
            for branch in known.extractors[known.clinical].branches if not branch.member or branch.member in resource
            for value in branch.get(resource)
            for start, _ in date.spans(Item(value, branch.type), self.zone)
        ]
        return max(found, default=None)


def _present(resource: Resource, known: Searchable) -> list[Reader]:
    """What may find something: most parameters of a type start from a member that a resource does not have."""
    readers = known.readers
    return [one for member in ("", *resource) if member in readers for one in readers[member]]
