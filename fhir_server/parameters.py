"""The search parameters of the network as one process knows them, and how their set comes to be.

A process asks the database once a second whether there is a new set. Between two looks a request costs a comparison.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import Lock
from time import monotonic

from fhir_server.definitions.registry import Definitions
from fhir_server.outcome import Unavailable
from fhir_server.search.definition import accepted
from fhir_server.search.index import Index
from fhir_server.search.searchable import changed, layout
from fhir_server.store.parameters import ParameterSet
from fhir_server.store.store import Store

# Seconds between two looks; what nobody looked after for so long is not relied upon.
EVERY, LATE = 1.0, 3.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Known:
    """A set that is in use.

    index    makes search values as the set says
    foreign  types that another release stores otherwise
    since    when this process learned of what is being built, by the steady clock
    """

    set: ParameterSet
    definitions: Definitions
    index: Index
    foreign: frozenset[str]
    since: float


class Parameters:
    """Gives what is searched by as it stands now; called by every request."""

    def __init__(self, store: Store, standard: Definitions, clock: Callable[[], float] = monotonic) -> None:
        self._store, self._standard, self._clock = store, standard, clock
        self._looking = Lock()
        self._looked = self._tried = clock()
        self._publishes = False
        self.known = self._read(-1)

    def __call__(self) -> Known:
        """Returns the set that was the database's EVERY seconds ago, and at most LATE when it is slow.

        Raises Unavailable when the database does not answer.
        """
        if self._clock() - self._looked >= EVERY:
            self._look()
        return self.known

    def publish(self) -> None:
        """Makes this release the one by which is stored: for the parts of a server, which have the same settings.

        From now on this process also publishes what SearchParameter resources say, when it is asked to `follow` them.
        """
        self._publishes = True
        _publish(self._store, lambda before: _of_resources(
            _of_release(before, self._store, self._standard), self._store, self._standard))
        self.at_once()

    def follow(self) -> Known:
        """Publishes what SearchParameter resources say by now, and returns what is known after that."""
        if self._publishes:
            _publish(self._store, lambda before: _of_resources(before, self._store, self._standard))
        return self.at_once()

    def at_once(self) -> Known:
        """Returns what is known, after a look at the database."""
        with self._looking:
            self._refresh(self._clock())
        return self.known

    def _look(self) -> None:
        """One looks, the others go on with what they have, while that is fresh enough."""
        late = self._clock() - self._looked >= LATE
        if not self._looking.acquire(blocking=late):
            return
        try:
            now = self._clock()
            if now - self._looked >= EVERY:
                self._refresh(now)
        finally:
            self._looking.release()

    def _refresh(self, now: float) -> None:
        # Where the database does not answer, those who wait need not all find that out.
        if now - self._tried < EVERY and self._tried > self._looked:
            raise Unavailable("The database does not answer at the moment. Please try again.")
        self._tried = now
        if self._store.parameters.number() != self.known.set.number:
            self.known = self._read(self.known.set.published)
        self._looked = now

    def _read(self, published: int) -> Known:
        """Reads the set; what gets ready does not change since when the rest is known."""
        read = self._store.parameters.read()
        since = self.known.since if read.published == published else self._clock() if read.building else float("-inf")
        foreign = frozenset(one for one, hash_ in read.hashes.items() if hash_ != layout(one, self._standard).hash)
        building = {type_: frozenset(codes) for type_, codes in read.building.items()}
        own = self._standard.with_parameters(read.own)
        closed = {type_: frozenset(layout(type_, own).places) for type_ in foreign}
        definitions = self._standard.with_parameters(read.own, {**building, **closed}, self._progress)
        return Known(read, definitions, Index(definitions), foreign, since)

    def _progress(self, type_: str) -> str:
        told = (str(one) for one in self._store.reindex.progress() if one.type == type_)
        return next(told, "it begins in some seconds")


def _publish(store: Store, next_: Callable[[ParameterSet], ParameterSet]) -> None:
    while not _published(store, next_):
        pass


def _published(store: Store, next_: Callable[[ParameterSet], ParameterSet]) -> bool:
    """Tells whether what is published is what shall be; False when somebody else published meanwhile."""
    before = store.parameters.read()
    after = next_(before)
    if after == before and before.number:
        return True
    if done := store.parameters.publish(after, before):
        log.info("search parameters: set %d with %d of the network", before.number + 1, len(after.own))
    return done


def _of_release(before: ParameterSet, store: Store, standard: Definitions) -> ParameterSet:
    """What is stored otherwise by this release cannot be asked until it is stored anew."""
    found = {type_: layout(type_, standard).hash for type_ in store.reindex.types()}
    other = {type_: hash_ for type_, hash_ in found.items() if before.hashes.get(type_) != hash_}
    own = standard.with_parameters(before.own)
    stale = {type_: sorted(layout(type_, own).places) for type_ in other if _may_be_stale(type_, before, store, own)}
    # A new type alone is no news: its resources are stored as everybody knows.
    news = {type_: hash_ for type_, hash_ in other.items() if type_ in before.hashes or type_ in stale}
    return replace(before, hashes={**before.hashes, **news}, building={**before.building, **stale})


def _may_be_stale(type_: str, before: ParameterSet, store: Store, own: Definitions) -> bool:
    if type_ in before.hashes or not before.number:
        return store.reindex.holds(type_)
    # First written since then, by the release before or by this one.
    return bool(store.reindex.outdated(type_, layout(type_, own).hash, 1))


def _of_resources(before: ParameterSet, store: Store, standard: Definitions) -> ParameterSet:
    # Read first: what is written after it is for the next set.
    source = store.parameters.source()
    if source == before.source:
        return before
    own = accepted(store.parameters.resources(), standard)
    building = _building(before, standard.with_parameters(before.own), standard.with_parameters(own))
    # What is there of these types is stored by this release, or it would have been found at the start.
    hashes = {type_: layout(type_, standard).hash for type_ in building}
    return replace(before, source=source, own=own, building=building, hashes={**hashes, **before.hashes})


def _building(before: ParameterSet, old: Definitions, new: Definitions) -> Mapping[str, list[str]]:
    """What cannot be asked yet: as before, as far as it is still there, and what is new."""
    types = {*before.building, *old.touched, *new.touched}
    codes = {
        type_: (changed(type_, old, new) | set(before.building.get(type_, ()))) & layout(type_, new).places.keys()
        for type_ in types
    }
    return {type_: sorted(found) for type_, found in codes.items() if found}
