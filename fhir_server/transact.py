"""The one door for writes: conditions → validation → search values → store.

https://hl7.org/fhir/R4/http.html#update · https://hl7.org/fhir/R4/http.html#concurrency
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from fhir_server.access.caller import Caller
from fhir_server.context import Context
from fhir_server.fhirjson import Resource, canonical, decode, encode, instant
from fhir_server.outcome import (
    BadRequest, Conflict, FHIRError, Gone, NotFound, PreconditionFailed, TooLarge, Unprocessable,
)
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import Version, Write
from fhir_server.store.records import Produced
from fhir_server.store.store import Raced
from fhir_server.store.unit import Given

ATTEMPTS = 20
TICK = timedelta(milliseconds=1)

Key = tuple[str, str]


@dataclass(frozen=True)
class Create:
    """A new resource; `id` is set where its place is decided beforehand, as in a transaction."""

    resource: Resource
    id: str = ""
    place: str = ""


@dataclass(frozen=True)
class Update:
    """The resource under its own id, created where there is none (update as create).

    if_match  the version it must have now
    absent    there must be none now (If-None-Match: *)
    place     where errors say it stands: `Bundle.entry[3].resource`
    """

    resource: Resource
    if_match: int | None = None
    absent: bool = False
    place: str = ""


@dataclass(frozen=True)
class Delete:
    """Deletes what is live; nothing there is no error."""

    type: str
    id: str
    if_match: int | None = None
    place: str = ""


@dataclass(frozen=True)
class Patch:
    """Puts what `apply` makes of the live resource in its place; `apply` gets a copy of its own."""

    type: str
    id: str
    apply: Callable[[Resource], Resource]
    if_match: int | None = None
    place: str = ""


Change = Create | Update | Delete | Patch


@dataclass(frozen=True)
class Done:
    """What became of a change. `action` is created, updated, unchanged, deleted or absent (nothing to delete)."""

    action: str
    version: Version | None


@dataclass(frozen=True)
class _Step:
    """A change that passed validation: what shall stand under `key` (None: nothing)."""

    change: Change
    key: Key
    resource: Resource | None = None
    content: bytes = b""


def transact(
    changes: Sequence[Change],
    context: Context,
    caller: Caller,
    produced: Sequence[Produced] = (),
    given: Sequence[Given] = (),
) -> list[Done]:
    """Makes all changes or none, in one durable step; returns what became of each, in order.

    produced  what a feed keeps of the records it writes, in the same step
    given     what was found that the changes were decided on; it still holds when they are made
    Content equal to what is stored makes no new version. Raises Unprocessable (validation), PreconditionFailed,
    Conflict (others kept writing the same resources), TooLarge, BadRequest (one resource twice), NotFound and Gone
    (nothing to patch), Outdated (what was given no longer holds).
    """
    steps = [_step(change, context) for change in changes]
    _refuse_overlap(steps)
    wanted = _by_type(steps)
    for _ in range(ATTEMPTS):
        current = context.store.get_many(wanted, UNRESTRICTED) if wanted else {}
        done = [_done(step, current.get(step.key), context, caller) for step in steps]
        try:
            context.store.write([Write(current.get(step.key), one.version) for step, one in zip(steps, done)
                                 if one.version is not None and one.action in WRITTEN], produced, given)
        except Raced:
            continue
        return done
    raise Conflict("Others kept changing the same resources; nothing was written. Send the request again.")


TOLD_BY_US = frozenset(("versionId", "lastUpdated", "source"))
WRITTEN = frozenset(("created", "updated", "deleted"))


def _step(change: Change, context: Context) -> _Step:
    if isinstance(change, (Delete, Patch)):
        return _Step(change, (change.type, change.id))
    id_ = (change.id or context.new_id()) if isinstance(change, Create) else change.resource.get("id", "")
    resource = _labelled({**change.resource, "id": id_}, context)
    try:
        context.check(resource)
    except FHIRError as error:
        raise _within(change.place, error) from None
    return _Step(change, (resource["resourceType"], resource["id"]), resource, _content(resource))


def _labelled(resource: Resource, context: Context) -> Resource:
    """Adds the labels every resource of this server carries, such as HTEST in a demonstration."""
    labels = context.config.security_labels
    meta = resource.get("meta", {})
    if not labels or not isinstance(meta, dict):
        return resource
    given = meta.get("security", [])
    have = _labels(resource)
    missing = [{"system": system, "code": code} for system, code in labels if f"{system}|{code}" not in have]
    return {**resource, "meta": {**meta, "security": [*given, *missing]}} if missing else resource


def _labels(resource: Resource) -> list[str]:
    security = resource.get("meta", {}).get("security", [])
    return [f"{one.get('system', '')}|{one.get('code', '')}" for one in security if isinstance(one, dict)]


def _content(resource: Resource) -> bytes:
    """A hash of what is said: all but version, time and the way it came, members in any order."""
    meta = {name: value for name, value in resource.get("meta", {}).items() if name not in TOLD_BY_US}
    said = {**resource, "meta": meta} if meta else {name: value for name, value in resource.items() if name != "meta"}
    return sha256(canonical(said)).digest()


def _refuse_overlap(steps: Sequence[_Step]) -> None:
    seen: set[Key] = set()
    for step in steps:
        if step.key in seen:
            raise BadRequest(f"{step.key[0]}/{step.key[1]} stands twice in one transaction.",
                             expression=step.change.place or None)
        seen.add(step.key)


def _by_type(steps: Sequence[_Step]) -> Mapping[str, list[str]]:
    ids: dict[str, list[str]] = {}
    for step in steps:
        # A create has a fresh id: there is nothing to look up, and an insert refuses what exists.
        if not isinstance(step.change, Create):
            ids.setdefault(step.key[0], []).append(step.key[1])
    return ids


def _done(step: _Step, previous: Version | None, context: Context, caller: Caller) -> Done:
    """What the change comes to, now that what is stored is known."""
    live = previous if previous and not previous.deleted else None
    _check_match(step.change, live)
    if isinstance(step.change, Patch):
        step = _patched(step.change, previous, context)
    if step.resource is None:
        return Done("deleted", _tombstone(live, context, caller)) if live else Done("absent", previous)
    if live and live.content == step.content:
        return Done("unchanged", live)
    return Done("updated" if live else "created", _version(step, step.resource, previous, context, caller))


def _patched(patch: Patch, previous: Version | None, context: Context) -> _Step:
    """The patch as the update it comes to, now that it is known what it applies to."""
    if previous is None:
        raise NotFound(f"There is no {patch.type}/{patch.id}.", expression=patch.place or None)
    if previous.deleted:
        raise Gone(f"{patch.type}/{patch.id} was deleted with version {previous.version}.",
                   expression=patch.place or None)
    try:
        resource = patch.apply(decode(previous.raw))
    except FHIRError as error:
        raise _within(patch.place, error) from None
    if (resource.get("resourceType"), resource.get("id")) != (patch.type, patch.id):
        raise Unprocessable("A patch cannot change resourceType or id.", expression=patch.place or f"{patch.type}.id")
    return _step(Update(resource, place=patch.place), context)


def _check_match(change: Change, live: Version | None) -> None:
    if isinstance(change, Update) and change.absent and live:
        raise PreconditionFailed(f"If-None-Match is *, but there is version {live.version}.",
                                 expression=change.place or None)
    if isinstance(change, Create) or change.if_match is None:
        return
    if live is None:
        raise PreconditionFailed(f"If-Match is {change.if_match}, but there is no current version.",
                                 expression=change.place or None)
    if live.version != change.if_match:
        raise PreconditionFailed(f"If-Match is {change.if_match}, but the current version is {live.version}.",
                                 expression=change.place or None)


def _version(step: _Step, resource: Resource, previous: Version | None, context: Context, caller: Caller) -> Version:
    number, updated = _next(previous, context)
    stamped = _stamped(resource, number, updated)
    raw = encode(stamped)
    if len(raw) > context.config.resource_limit:
        raise TooLarge(f"The resource has {len(raw)} bytes; the limit is {context.config.resource_limit}.",
                       expression=step.change.place or None)
    try:
        values = context.index.values(stamped, updated)
    except FHIRError as error:
        raise _within(step.change.place, error) from None
    return Version(*step.key, number, updated, raw, step.content, values, _source(caller, previous), _labels(stamped))


def _within(place: str, error: FHIRError) -> FHIRError:
    """The error, saying where in the request the resource stands."""
    return error.within(place) if place else error


def _tombstone(live: Version, context: Context, caller: Caller) -> Version:
    number, updated = _next(live, context)
    return replace(live, version=number, updated=updated, raw=b"", content=b"", values=None,
                   source=_source(caller, live), deleted=True)


def _source(caller: Caller, previous: Version | None) -> str:
    """Whoever speaks for no organisation leaves a resource with the one that disclosed it."""
    return caller.source or (previous.source if previous else "")


def _next(previous: Version | None, context: Context) -> tuple[int, datetime]:
    """Number and time of the next version: times of one resource always grow, whatever the clock does."""
    now = _to_milliseconds(context.now())
    if previous is None:
        return 1, now
    return previous.version + 1, max(now, previous.updated + TICK)


def _to_milliseconds(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(microsecond=time.microsecond // 1000 * 1000)


def _stamped(resource: Resource, version: int, updated: datetime) -> Resource:
    meta = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": instant(updated)}
    return {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta,
            **{name: value for name, value in resource.items() if name not in ("resourceType", "id", "meta")}}
