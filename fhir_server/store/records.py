"""What feeds have produced: which resources come from which business record, and how new they are."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pymongo import UpdateOne
from pymongo.database import Database

from fhir_server.store.database import Document, translated


@dataclass(frozen=True)
class Produced:
    """What one version of a business record has produced. References are `Observation/x`.

    key        of the record, the same for all its versions
    time       of the message; the newer one wins
    resources  what the record states now
    gone       what an earlier version stated and this one does not: its time is kept, so that nothing older revives it
    withdrawn  the record as a whole was deleted
    whole      the record is all there is of it, so a resource is its own; else only where it is no other record's
    """

    key: str
    time: datetime
    resources: Sequence[str] = ()
    gone: Sequence[str] = ()
    withdrawn: bool = False
    whole: bool = True


@dataclass(frozen=True)
class State:
    """How new the stored version of a record is, and whether it withdrew the record."""

    time: datetime
    withdrawn: bool


class Records:
    """Bulk look-ups and writes: one round trip each, however many records."""

    def __init__(self, database: Database[Document]) -> None:
        self._records = database["records"]
        self._resources = database["record_resources"]

    def prepare(self) -> None:
        self._resources.create_index("record")

    @translated()
    def states(self, keys: Iterable[str]) -> dict[str, State]:
        """Returns the state of each record that is known."""
        found = self._records.find({"_id": {"$in": list(keys)}})
        return {row["_id"]: State(row["time"], row["withdrawn"]) for row in found}

    @translated()
    def times(self, references: Iterable[str]) -> dict[str, datetime]:
        """Returns by reference the time of the message that wrote or withdrew the resource last."""
        found = self._resources.find({"_id": {"$in": list(references)}}, {"time": 1})
        return {row["_id"]: row["time"] for row in found}

    @translated()
    def of(self, key: str) -> frozenset[str]:
        """Returns the references of all that the record states."""
        return self.of_many([key]).get(key, frozenset())

    @translated()
    def of_many(self, keys: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Returns by record the references of all that it states."""
        states: dict[str, frozenset[str]] = {}
        for row in self._resources.find({"record": {"$in": list(keys)}}, {"record": 1}):
            states[row["record"]] = states.get(row["record"], frozenset()) | {row["_id"]}
        return states

    @translated()
    def put(self, produced: Sequence[Produced]) -> None:
        """Keeps what was produced; to be called when the resources are stored. The same twice changes nothing."""
        resources = [step for one in produced for step in _resource_steps(one)]
        if resources:
            self._resources.bulk_write(resources, ordered=True)
        if produced:
            self._records.bulk_write([_record_step(one) for one in produced], ordered=True)


def _resource_steps(produced: Produced) -> list[UpdateOne]:
    return [
        *(_stamp(one, produced.time, produced.key, produced.whole) for one in produced.resources),
        *(_stamp(one, produced.time, None, True) for one in produced.gone),
    ]


def _stamp(reference: str, time: datetime, record: str | None, whole: bool) -> UpdateOne:
    """A late message may add to a resource; that makes the resource no older."""
    owner = {"$set" if whole else "$setOnInsert": {"record": record}}
    return UpdateOne({"_id": reference}, {**owner, "$max": {"time": time}}, upsert=True)


def _record_step(produced: Produced) -> UpdateOne:
    return _upsert(produced.key, {"time": produced.time, "withdrawn": produced.withdrawn})


def _upsert(id_: str, fields: Document) -> UpdateOne:
    return UpdateOne({"_id": id_}, {"$set": fields}, upsert=True)
