"""The two collections of a resource type, made with their indexes when the first resource of the type is written."""

from collections.abc import Iterable

from pymongo import IndexModel
from pymongo.database import Database

from fhir_server.store.database import Document, Rows
from fhir_server.store.drive import INDEXES

_HISTORY = "_history"
# Live and past versions lie in the same order, that of a history.
PAST_INDEX = INDEXES["updated"]


class Collections:
    """Names and makes collections. Making is idempotent, so several processes may do it at once."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database
        self._made: set[str] = set()

    def live(self, type_: str) -> Rows:
        return self._database[type_]

    def history(self, type_: str) -> Rows:
        return self._database[type_ + _HISTORY]

    def make(self, types: Iterable[str]) -> None:
        """Makes what is missing. Not inside a transaction, where collections cannot always be made."""
        for type_ in set(types) - self._made:
            self.live(type_).create_indexes([IndexModel(list(keys)) for keys in INDEXES.values()])
            self.history(type_).create_indexes([IndexModel(list(PAST_INDEX))])
            self._made.add(type_)

    def types(self) -> list[str]:
        """Returns the resource types that have been written, in order."""
        names = self._database.list_collection_names(filter={"name": {"$regex": _HISTORY + "$"}})
        return sorted(name.removesuffix(_HISTORY) for name in names)
