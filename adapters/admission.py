"""Who may feed the network: the sender a message or a folder names → a facility of the table.

What the table does not know becomes, in the open trial mode, an unconfirmed facility at once. Otherwise what it sends
is held until somebody enters the facility (`admit`), for nothing that was accepted is ever dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count

from adapters.facility import Facility
from fhir_server.store import facilities
from fhir_server.store.store import Store

# A change in the table, such as a character set, is seen after this.
REMEMBERED = timedelta(seconds=5)
MOST_REMEMBERED = 10_000

_UNCONFIRMED = "The facility is not confirmed."


@dataclass(frozen=True)
class Admitted:
    """The facility behind a sender; `held` is the reason why its messages wait, or ""."""

    facility: Facility
    held: str = ""


@dataclass(frozen=True)
class Admission:
    """Looks facilities up and remembers them for a moment. `open`: unknown ones are let in, unconfirmed."""

    table: facilities.Facilities
    open: bool
    _known: dict[str, tuple[datetime, Admitted]] = field(default_factory=dict)

    def of_sender(self, sender: str, now: datetime) -> Admitted:
        """Returns the facility that sends as MSH-4 = `sender`."""
        return self._remembered(f"MSH-4 {sender}", now, lambda: self._by_sender(sender))

    def of_number(self, number: str, now: datetime) -> Admitted:
        """Returns the facility with that institution number: the name of a drop folder."""
        return self._remembered(number, now, lambda: self._by_number(number))

    def _remembered(self, key: str, now: datetime, look: Callable[[], Admitted]) -> Admitted:
        known = self._known.get(key)
        if known and known[0] > now:
            return known[1]
        if len(self._known) > MOST_REMEMBERED:
            self._known.clear()
        found = look()
        self._known[key] = (now + REMEMBERED, found)
        return found

    def _by_sender(self, sender: str) -> Admitted:
        row = self.table.by_sender(sender) if sender else None
        if row:
            return self._of_row(row)
        number = provisional(sender, self.table)
        if self.open and sender:
            return self._of_row(self.table.add(number, sender, (sender,), confirmed=False))
        return Admitted(Facility(number, sender, confirmed=False), "No facility of the table sends under this MSH-4.")

    def _by_number(self, number: str) -> Admitted:
        row = self.table.by_number(number)
        if row or self.open:
            return self._of_row(row or self.table.add(number, number, (), confirmed=False))
        return Admitted(Facility(number, number, confirmed=False), "No facility of the table has this number.")

    def _of_row(self, row: facilities.Facility) -> Admitted:
        facility = Facility(row.number, row.name, tuple(row.senders), row.confirmed, row.charset)
        return Admitted(facility, "" if row.confirmed or self.open else _UNCONFIRMED)


def provisional(sender: str, table: facilities.Facilities) -> str:
    """Returns the number of a facility that is known only by its MSH-4: `00` and eight digits of its SHA-256.

    Prefectures are 01 to 47, so it is never a real institution number; the next digits are taken where it is another's.
    """
    numbers = (_numbered(f"{sender}\0{attempt}") for attempt in count())
    return next(one for one in numbers if (taken := table.by_number(one)) is None or sender in taken.senders)


def _numbered(text: str) -> str:
    return f"00{int.from_bytes(sha256(text.encode()).digest()[:8]) % 10**8:08}"


def admit(
    store: Store, number: str, name: str, senders: Sequence[str] = (), charset: str = "ascii"
) -> facilities.Facility:
    """Enters a facility as confirmed and lets what was held of it be processed."""
    facility = store.facilities.add(number, name, tuple(senders), confirmed=True, charset=charset)
    release(store)
    return facility


def release(store: Store) -> int:
    """Lets what is held of confirmed facilities be processed; returns how many messages.

    Whoever lets messages in learns a moment late that a facility was entered: so this is for every few seconds.
    """
    if not store.journal.held():
        return 0
    confirmed = [one for one in store.facilities.all() if one.confirmed]
    numbers = [one.number for one in confirmed]
    numbers += [provisional(sender, store.facilities) for one in confirmed for sender in one.senders]
    return store.journal.release(numbers)
