"""Records → one transaction through `transact`: the only file of the adapters that knows how the server writes.

Idempotent: a record that was delivered changes nothing, an older one changes nothing that a newer one wrote. What is
decided on what was read is written only while that still stands; else it is decided again.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adapters.facility import Facility
from adapters.merge import MERGE
from adapters.provenance import provenance, provenance_id, source_uri
from adapters.record import Entry, Record, When
from fhir_server.access.caller import feed
from fhir_server.context import Context
from fhir_server.fhirjson import Resource, decode
from fhir_server.outcome import Conflict, PreconditionFailed, TooLarge, Unprocessable
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import Version
from fhir_server.store.queue import Park
from fhir_server.store.records import Known, Produced, State
from fhir_server.transact import Delete, Update, transact

ATTEMPTS = 5
UNKNOWN = Known()


@dataclass(frozen=True)
class _Plan:
    """What is stored, and what shall be written, record by record: each one sees what those before it do.

    live   stored versions by reference (`Patient/x`), no tombstones
    known  how new each resource is and which whole records state it
    """

    live: Mapping[str, Version]
    known: dict[str, Known]
    states: dict[str, State]
    changes: dict[str, Update | Delete] = field(default_factory=dict)
    produced: list[Produced] = field(default_factory=list)

    def current(self, reference: str) -> Resource | None:
        """Returns the resource as it will stand, or None."""
        change = self.changes.get(reference)
        if change is None:
            version = self.live.get(reference)
            return decode(version.raw) if version else None
        return None if isinstance(change, Delete) else change.resource

    def stands(self, reference: str) -> bool:
        change = self.changes.get(reference)
        return reference in self.live if change is None else not isinstance(change, Delete)

    def is_newer(self, reference: str, than: datetime) -> bool:
        """Returns whether what stands, or what withdrew it, came from a message with a later time."""
        time = self.known.get(reference, UNKNOWN).time
        return time is not None and time > than

    def is_outdated(self, record: Record) -> bool:
        """Returns whether a later version of the whole record was there, or its withdrawal."""
        state = self.states.get(record.key)
        return bool(_whole(record) and state and (state.time, state.withdrawn) > (record.time, record.withdrawn))

    def update(self, resource: Resource, record: Record) -> Update:
        """Returns the change that puts `resource` in the place of the version that was read."""
        reference = _reference(resource)
        version = self.live.get(reference)
        sourced = {**resource, "meta": {**resource.get("meta", {}), "source": source_uri(record)}}
        return Update(sourced, version.version if version else None, absent=version is None, place=reference)

    def remove(self, reference: str) -> None:
        self.changes.pop(reference, None)
        if version := self.live.get(reference):
            type_, _, id_ = reference.partition("/")
            self.changes[reference] = Delete(type_, id_, version.version)


def deliver(records: Sequence[Record], facility: Facility, context: Context) -> None:
    """Writes what the records of one facility state, in their order, all or nothing.

    Raises Park, with the FHIRPath of the element, for what validation refuses; all else that is raised may pass.
    """
    for left in reversed(range(ATTEMPTS)):
        plan = _plan(records, facility, context)
        try:
            transact(list(plan.changes.values()), context, feed(facility.number), plan.produced)
            return
        except (Unprocessable, TooLarge) as error:
            raise Park(error.issues[0].text, error.issues[0].expression or "") from error
        except (PreconditionFailed, Conflict):
            if not left:
                raise


def _plan(records: Sequence[Record], facility: Facility, context: Context) -> _Plan:
    plan = _read(records, facility, context)
    for record in records:
        if not plan.is_outdated(record):
            _add(record, facility, plan)
    return plan


def _read(records: Sequence[Record], facility: Facility, context: Context) -> _Plan:
    """Looks up all at once: what the records touch, and what their former versions stated."""
    whole = [record.key for record in records if _whole(record)]
    states = context.store.records.states(whole)
    touched = {_reference(entry.resource) for record in records for entry in record.entries}
    known = context.store.records.known(touched, whole)
    proofs = {f"Provenance/{provenance_id(record, facility)}" for record in records}
    found = context.store.get_many(_by_type(touched | known.keys() | proofs), UNRESTRICTED)
    live = {f"{type_}/{id_}": version for (type_, id_), version in found.items() if not version.deleted}
    return _Plan(live, known, states)


def _add(record: Record, facility: Facility, plan: _Plan) -> None:
    """Adds the changes of one record, what is to be known of them, and their Provenance."""
    stated = {_reference(entry.resource) for entry in record.entries if entry.when is not When.ABSENT and entry.owned}
    lost = {one for one, known in plan.known.items() if record.key in known.by} - stated if _whole(record) else set()
    gone = {one for one in lost if not plan.is_newer(one, record.time) and plan.known[one].by == {record.key}}
    found = {_reference(entry.resource): _change(entry, record, gone, plan) for entry in record.entries}
    changes = {reference: change for reference, change in found.items() if change}
    # A late message may add to a resource; that makes the resource no older, and what stands no newer.
    written = {_reference(entry.resource) for entry in record.entries if entry.when is not When.ABSENT}
    written = {one for one in written & changes.keys() if not plan.is_newer(one, record.time)}
    stated = stated if _whole(record) else set()
    fresh = (written | stated) - plan.known.keys()
    produced = Produced(
        record.key, record.time, fresh, written, stated, gone, lost - gone, _whole(record), record.withdrawn)
    plan.changes.update(changes)
    for reference in gone:
        plan.remove(reference)
    _keep(produced, plan)
    if targets := changes.keys() | gone:
        _prove(record, targets, facility, plan)


def _keep(produced: Produced, plan: _Plan) -> None:
    """Lets the records that follow see what this one produced."""
    plan.produced.append(produced)
    if produced.whole:
        plan.states[produced.key] = State(produced.time, produced.withdrawn)
    for one in {*produced.written, *produced.stated, *produced.gone, *produced.left}:
        known = plan.known.get(one, UNKNOWN)
        by = known.by | {produced.key} if one in produced.stated else known.by - {produced.key}
        newer = one in produced.written or one in produced.gone
        plan.known[one] = Known(produced.time if newer else known.time, by)


def _change(entry: Entry, record: Record, gone: set[str], plan: _Plan) -> Update | None:
    return _RULES[entry.when](entry.resource, record, gone, plan)


def _newer(resource: Resource, record: Record, gone: set[str], plan: _Plan) -> Update | None:
    """What was withdrawn later may still come back with the file of a whole record: that is there, now."""
    reference = _reference(resource)
    returns = record.complete and not plan.stands(reference)
    return None if plan.is_newer(reference, record.time) and not returns else plan.update(resource, record)


def _absent(resource: Resource, record: Record, gone: set[str], plan: _Plan) -> Update | None:
    reference = _reference(resource)
    return None if plan.stands(reference) or plan.is_newer(reference, record.time) else plan.update(resource, record)


def _merged(resource: Resource, record: Record, gone: set[str], plan: _Plan) -> Update | None:
    reference = _reference(resource)
    stored = plan.current(reference)
    if stored is None:
        return _newer(resource, record, gone, plan)
    late = plan.is_newer(reference, record.time)
    earlier, later = (resource, stored) if late else (stored, resource)
    return plan.update(_without(gone, MERGE[resource["resourceType"]](earlier, later)), record)


_RULES = {When.NEWER: _newer, When.ABSENT: _absent, When.MERGED: _merged}


def _without(gone: set[str], resource: Resource) -> Resource:
    """Returns the resource without its references to what is withdrawn."""
    if not gone:
        return resource
    kept = {name: _kept(gone, value) for name, value in resource.items()}
    return {name: value for name, value in kept.items() if value != []}


def _kept(gone: set[str], value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return [one for one in value if not (isinstance(one, dict) and one.get("reference") in gone)]


def _prove(record: Record, targets: set[str], facility: Facility, plan: _Plan) -> None:
    """A record that comes again finds less to do, but its Provenance keeps what it did at first."""
    stored = plan.current(f"Provenance/{provenance_id(record, facility)}") or {}
    before = {one["reference"] for one in stored.get("target", ())}
    proof = provenance(record, sorted(before | targets), facility)
    plan.changes[_reference(proof)] = plan.update(proof, record)


def _whole(record: Record) -> bool:
    return record.complete or record.withdrawn


def _reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource['id']}"


def _by_type(references: Iterable[str]) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for type_, _, id_ in (one.partition("/") for one in references):
        ids.setdefault(type_, []).append(id_)
    return ids
