"""One write: the old version is copied into history, then the new one swapped in."""

from pymongo.errors import DuplicateKeyError

from fhir_server.store import envelope
from fhir_server.store.collections import Collections
from fhir_server.store.document import Write


class Raced(Exception):
    """Somebody else wrote the same resource first, so that nothing was written: read it again, and decide again."""


def write_one(write: Write, collections: Collections) -> None:
    """Makes one durable document write of it. Raises Raced."""
    if write.previous is None:
        _insert(write, collections)
    else:
        _swap(write, collections)


def _insert(write: Write, collections: Collections) -> None:
    try:
        collections.live(write.next.type).insert_one(envelope.live(write.next))
    except DuplicateKeyError:
        raise Raced from None


def _swap(write: Write, collections: Collections) -> None:
    assert write.previous
    # The copy comes first: whatever dies in between, no version that was live is missing from history. A copy of what
    # is still live does no harm, since history is read below the live version only.
    copy = envelope.past(write.previous)
    collections.history(write.next.type).replace_one({"_id": copy["_id"]}, copy, upsert=True)
    swapped = collections.live(write.next.type).replace_one(was_live(write), envelope.live(write.next))
    if not swapped.matched_count:
        raise Raced


def was_live(write: Write) -> dict[str, object]:
    """Returns the filter that finds the live document only while it is still the previous version."""
    assert write.previous
    return {"_id": write.next.id, "v": write.previous.version}
