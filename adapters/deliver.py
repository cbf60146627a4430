"""Records → one transaction through `transact`: the only file of the adapters that knows how the server writes.

Idempotent: a record that was delivered changes nothing, an older one changes nothing that a newer one wrote.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from adapters.facility import Facility
from adapters.merge import MERGE
from adapters.provenance import provenance, provenance_id, source_uri
from adapters.record import Entry, Record, When
from fhir_server.access.caller import feed
from fhir_server.context import Context
from fhir_server.fhirjson import Resource, decode
from fhir_server.outcome import TooLarge, Unprocessable
from fhir_server.store.document import Version
from fhir_server.store.queue import Park
from fhir_server.store.records import Produced, State
from fhir_server.transact import Change, Delete, Update, transact


@dataclass(frozen=True)
class _Stored:
    """What is stored of all that some records touch, by reference (`Patient/x`) and by key of the record."""

    live: Mapping[str, Version]
    times: Mapping[str, datetime]
    states: Mapping[str, State]
    of: Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class _Plan:
    """What shall be written, record by record: each one sees what those before it do."""

    stored: _Stored
    changes: dict[str, Change] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    owned: dict[str, frozenset[str]] = field(default_factory=dict)
    produced: list[Produced] = field(default_factory=list)

    def current(self, reference: str) -> Resource | None:
        """Returns the resource as it will stand, or None."""
        change = self.changes.get(reference)
        if change is None:
            version = self.stored.live.get(reference)
            return decode(version.raw) if version else None
        return None if isinstance(change, Delete) else change.resource

    def is_newer(self, reference: str, than: datetime) -> bool:
        """Returns whether what stands, or what withdrew it, came from a message with a later time."""
        time = self.time(reference)
        return time is not None and time > than

    def time(self, reference: str) -> datetime | None:
        """Returns the latest time of a message that wrote or withdrew the resource."""
        return self.times.get(reference) or self.stored.times.get(reference)

    def is_outdated(self, record: Record) -> bool:
        """Returns whether a later version of the whole record was there, or its withdrawal."""
        state = self.states.get(record.key) or self.stored.states.get(record.key)
        if state is None or not (record.complete or record.withdrawn):
            return False
        return (state.time, state.withdrawn) > (record.time, record.withdrawn)

    def of(self, key: str) -> frozenset[str]:
        """Returns the references of what the record states so far."""
        return self.owned.get(key) or self.stored.of.get(key, frozenset())


def deliver(records: Sequence[Record], facility: Facility, context: Context) -> None:
    """Writes what the records of one facility state, in their order, all or nothing.

    Raises Park, with the FHIRPath of the element, for what validation refuses; all else that is raised may pass.
    """
    plan = _Plan(_stored(records, facility, context))
    for record in records:
        if not plan.is_outdated(record):
            _add(record, facility, plan)
    try:
        transact(list(plan.changes.values()), context, feed(facility.number))
    except (Unprocessable, TooLarge) as error:
        raise Park(error.issues[0].text, error.issues[0].expression or "") from error
    context.store.records.put(plan.produced)


def _stored(records: Sequence[Record], facility: Facility, context: Context) -> _Stored:
    """Looks up all at once. Only what is not simply replaced must be read itself."""
    entries = [entry for record in records for entry in record.entries]
    read = [_reference(entry.resource) for entry in entries if entry.when is not When.NEWER]
    read += [f"Provenance/{provenance_id(record, facility)}" for record in records]
    found = context.store.get_many(_by_type(read))
    keys = [record.key for record in records]
    return _Stored(
        live={f"{type_}/{id_}": version for (type_, id_), version in found.items() if not version.deleted},
        times=context.store.records.times({_reference(entry.resource) for entry in entries}),
        states=context.store.records.states(keys),
        of=context.store.records.of_many([one.key for one in records if one.complete or one.withdrawn]),
    )


def _add(record: Record, facility: Facility, plan: _Plan) -> None:
    """Adds the changes of one record, and their Provenance."""
    stated = () if record.withdrawn else record.entries
    changes = {_reference(entry.resource): one for entry in stated if (one := _RULES[entry.when](entry, record, plan))}
    owned = {_reference(entry.resource) for entry in stated if entry.when is not When.ABSENT}
    # The newest word keeps older ones out even where it says nothing new.
    taken = {one for one in owned if one in changes or not plan.is_newer(one, record.time)}
    whole = record.complete or record.withdrawn
    gone = plan.of(record.key) - owned if whole else frozenset()
    plan.changes.update(changes)
    plan.changes.update({one: _delete(one) for one in sorted(gone)})
    plan.times.update({one: max(record.time, plan.time(one) or record.time) for one in gone | taken})
    plan.states[record.key] = State(record.time, record.withdrawn)
    plan.owned[record.key] = plan.of(record.key) - gone | taken
    plan.produced.append(Produced(record.key, record.time, sorted(taken), sorted(gone), record.withdrawn, whole))
    if targets := changes.keys() | gone:
        _prove(record, targets, facility, plan)


def _newer(entry: Entry, record: Record, plan: _Plan) -> Change | None:
    reference = _reference(entry.resource)
    return None if plan.is_newer(reference, record.time) else _update(entry.resource, record)


def _absent(entry: Entry, record: Record, plan: _Plan) -> Change | None:
    reference = _reference(entry.resource)
    if plan.current(reference) or plan.is_newer(reference, record.time):
        return None
    return _update(entry.resource, record, absent=True)


def _merged(entry: Entry, record: Record, plan: _Plan) -> Change | None:
    """The stored version must still be the one that was merged; what a merge does not change keeps its source."""
    reference = _reference(entry.resource)
    stored, version = plan.current(reference), plan.stored.live.get(reference)
    if stored is None:
        return _newer(entry, record, plan)
    late = plan.is_newer(reference, record.time)
    earlier, later = (entry.resource, stored) if late else (stored, entry.resource)
    merged = MERGE[entry.resource["resourceType"]](earlier, later)
    if _content(merged) == _content(stored):
        return None
    return _update(merged, record, if_match=version.version if version else None)


_RULES = {When.NEWER: _newer, When.ABSENT: _absent, When.MERGED: _merged}


def _prove(record: Record, targets: set[str], facility: Facility, plan: _Plan) -> None:
    """A record that comes again finds less to do, but its Provenance keeps what it did at first."""
    reference = f"Provenance/{provenance_id(record, facility)}"
    stored = plan.current(reference) or {}
    before = {one["reference"] for one in stored.get("target", ())}
    plan.changes[reference] = _update(provenance(record, sorted(before | targets), facility), record)


def _update(resource: Resource, record: Record, if_match: int | None = None, absent: bool = False) -> Update:
    sourced = {**resource, "meta": {**resource.get("meta", {}), "source": source_uri(record)}}
    return Update(sourced, if_match, absent, place=_reference(resource))


def _delete(reference: str) -> Delete:
    type_, _, id_ = reference.partition("/")
    return Delete(type_, id_)


def _reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _content(resource: Resource) -> Resource:
    return {name: value for name, value in resource.items() if name != "meta"}


def _by_type(references: Sequence[str]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for type_, _, id_ in (one.partition("/") for one in dict.fromkeys(references)):
        ids.setdefault(type_, []).append(id_)
    return ids
