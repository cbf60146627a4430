"""The set of search parameters that all processes on one database go by, as one document with a number.

It follows the SearchParameter resources and the release: whoever finds that they changed publishes the next set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

import msgspec
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from fhir_server.definitions.registry import SearchParameter
from fhir_server.fhirjson import Resource, decode
from fhir_server.store.database import Document, translated
from fhir_server.store.plan import LIVE

READ_MS = 10_000
_SET = {"_id": "set"}


@dataclass(frozen=True)
class ParameterSet:
    """What is searched by.

    number    grows with every change of any of this; `published` is that of the last change but what got ready
    source    which SearchParameter resources it was made from, see `Parameters.source`
    own       the search parameters of this network
    building  by resource type the codes that not all resources are indexed by yet
    hashes    by resource type, of the standard's parameters as the release that published it stores them
    """

    number: int = 0
    published: int = 0
    source: int = 0
    own: Sequence[SearchParameter] = ()
    building: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)


class Parameters:
    """Reads and publishes the set. Each method raises Unavailable when the database does not answer."""

    def __init__(self, database: Database[Document]) -> None:
        self._sets = database["parameters"]
        self._resources = database["SearchParameter"]

    @translated()
    def number(self) -> int:
        """Returns the number of the set, 0 where there is none yet."""
        found = self._sets.find_one(_SET, {"number": 1}, max_time_ms=READ_MS)
        return int(found["number"]) if found else 0

    @translated()
    def read(self) -> ParameterSet:
        found = self._sets.find_one(_SET, {"_id": 0}, max_time_ms=READ_MS)
        return msgspec.convert(found, ParameterSet) if found else ParameterSet()

    @translated()
    def publish(self, after: ParameterSet, before: ParameterSet) -> bool:
        """Puts `after` in the place of `before`; False when somebody else was faster."""
        number = before.number + 1
        document = asdict(replace(after, number=number, published=number))
        try:
            done = self._sets.replace_one({**_SET, "number": before.number}, document, upsert=not before.number)
        except DuplicateKeyError:
            return False
        return bool(done.matched_count) or done.upserted_id is not None

    @translated()
    def complete(self, published: int, type_: str) -> None:
        """Notes that all resources of a type are indexed as the set says, if none was published since."""
        ready = {"$unset": {f"building.{type_}": ""}, "$inc": {"number": 1}}
        self._sets.update_one({**_SET, "published": published, f"building.{type_}": {"$exists": True}}, ready)

    @translated()
    def source(self) -> int:
        """Returns a number that every write of a SearchParameter raises: versions only grow, and tombstones stay."""
        summed = self._resources.aggregate([{"$group": {"_id": None, "versions": {"$sum": "$v"}}}], maxTimeMS=READ_MS)
        return next((int(one["versions"]) for one in summed), 0)

    @translated()
    def resources(self) -> list[Resource]:
        """Returns all SearchParameter resources."""
        rows = self._resources.find({"ix": LIVE}, {"raw": 1}, max_time_ms=READ_MS)
        return [decode(one["raw"]) for one in rows]
