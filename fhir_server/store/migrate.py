"""A database of an earlier release, made one of this release. Each step may run twice, and in several processes."""

from collections.abc import Callable, Mapping

from fhir_server.store.collections import Collections
from fhir_server.store.database import Document

_SOURCE = {"$cond": [{"$eq": ["$src", ""]}, [], [{"$concat": ["_src=", "$src"]}]]}
_LABELS = {"$map": {"input": "$lab", "as": "one", "in": {"$concat": ["_lab=", "$$one"]}}}
_ACCESS: list[Document] = [{"$set": {"ac": {"$concatArrays": [_SOURCE, _LABELS]}}}]
# A tombstone has no keys to be found by.
_FOUND_BY: Document = {"$set": {"ix": {"$cond": [{"$eq": ["$ix", []]}, [], {"$setUnion": ["$ix", "$ac"]}]}}}


def migrate(number: int, collections: Collections) -> None:
    """Brings a database of format `number` up to date."""
    for known, step in _STEPS.items():
        if number <= known:
            step(collections)


def _access(collections: Collections) -> None:
    """Access keys on every version, and an index of what is past by time."""
    types = collections.types()
    collections.make(types)
    for type_ in types:
        collections.history(type_).update_many({"ac": {"$exists": False}}, _ACCESS)
        collections.live(type_).update_many({"ac": {"$exists": False}}, [*_ACCESS, _FOUND_BY])


# By the format that a step starts from.
_STEPS: Mapping[int, Callable[[Collections], None]] = {1: _access}
