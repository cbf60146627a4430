"""One write: the old version is copied into history, then the new one swapped in. What is new is inserted."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from pymongo.errors import BulkWriteError, DuplicateKeyError

from fhir_server.store import envelope
from fhir_server.store.collections import Collections
from fhir_server.store.database import Document, Rows
from fhir_server.store.document import Write

DUPLICATE_KEY = 11000
# So many bytes of raw resources go into one command; the first one always does.
TOGETHER_BYTES = 8 * 1024 * 1024


class Raced(Exception):
    """Somebody else wrote the same resource first, so that nothing was written: read it again, and decide again."""


@dataclass
class _Waiting:
    """A document that a thread waits to see inserted; `error` tells why it was not."""

    document: Document
    size: int
    done: bool = False
    error: BaseException | None = None


class Inserts:
    """Inserts the documents of all threads that wait, one command at a time for each type.

    Whoever comes while a command is on its way goes with the next one: of many at once few commands are made, each
    with one wait for the disk, and alone nobody waits.
    """

    def __init__(self, collections: Collections) -> None:
        self._collections = collections
        self._waiting: dict[str, list[_Waiting]] = defaultdict(list)
        self._turns: dict[str, Lock] = defaultdict(Lock)

    def insert(self, type_: str, document: Document) -> None:
        """Returns when the document is durable. Raises Raced where the id is taken."""
        mine = _Waiting(document, len(document["raw"]))
        # Both steps are one of the interpreter's own: no thread sees them half done.
        self._waiting[type_].append(mine)
        with self._turns[type_]:
            while not mine.done:
                _insert(self._taken(type_), self._collections.live(type_))
        if mine.error:
            raise mine.error

    def _taken(self, type_: str) -> list[_Waiting]:
        """The first that wait; only who has the turn takes."""
        waiting, size = self._waiting[type_], 0
        for number, one in enumerate(list(waiting)):
            size += one.size
            if number and size > TOGETHER_BYTES:
                break
        else:
            number = len(waiting)
        taken = waiting[:number]
        del waiting[:number]
        return taken


def _insert(together: Sequence[_Waiting], rows: Rows) -> None:
    try:
        if len(together) == 1:
            rows.insert_one(together[0].document)
        else:
            rows.insert_many([one.document for one in together], ordered=False)
    except DuplicateKeyError:
        together[0].error = Raced()
    except BulkWriteError as error:
        _tell(together, error)
    except BaseException as error:
        for one in together:
            one.error = error
    finally:
        for one in together:
            one.done = True


def _tell(together: Sequence[_Waiting], error: BulkWriteError) -> None:
    """Those that failed, or all where it is not known whether the rest is durable."""
    details = error.details
    for one in together if details.get("writeConcernErrors") else ():
        one.error = error
    for fault in details.get("writeErrors", ()):
        together[fault["index"]].error = Raced() if fault["code"] == DUPLICATE_KEY else error


def write_one(write: Write, collections: Collections, inserts: Inserts) -> None:
    """Makes one durable document write of it. Raises Raced."""
    if write.previous is None:
        inserts.insert(write.next.type, envelope.live(write.next))
    else:
        _swap(write, collections)


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
