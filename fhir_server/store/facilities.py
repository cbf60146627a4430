"""The table of facilities that feed the network."""

from collections.abc import Sequence
from dataclasses import dataclass

from pymongo.database import Database

from fhir_server.store.database import Document, translated


@dataclass(frozen=True)
class Facility:
    """One facility. `number` is its 10-digit institution number, `senders` the MSH-4 values it sends under.

    confirmed  a person entered it; else it came by itself, in the open trial mode
    charset    of its messages that declare none
    """

    number: str
    name: str
    senders: Sequence[str] = ()
    confirmed: bool = True
    charset: str = "ascii"


class Facilities:
    """Looks facilities up; the table is small and changes rarely."""

    def __init__(self, database: Database[Document]) -> None:
        self._rows = database["facilities"]

    def prepare(self) -> None:
        self._rows.create_index("senders")

    @translated()
    def by_number(self, number: str) -> Facility | None:
        return _facility(self._rows.find_one({"_id": number}))

    @translated()
    def by_sender(self, sender: str) -> Facility | None:
        """Returns the facility that sends under this MSH-4, a confirmed one first."""
        return _facility(self._rows.find_one({"senders": sender}, sort=[("confirmed", -1), ("_id", 1)]))

    @translated()
    def all(self) -> list[Facility]:
        """Returns the facilities by number."""
        return [_read(row) for row in self._rows.find(sort=[("_id", 1)])]

    @translated()
    def add(
        self, number: str, name: str, senders: Sequence[str] = (), confirmed: bool = True, charset: str = "ascii"
    ) -> Facility:
        """Enters the facility, or changes what the table says of it; returns it."""
        row = {"name": name, "senders": list(senders), "confirmed": confirmed, "charset": charset}
        self._rows.replace_one({"_id": number}, row, upsert=True)
        return Facility(number, name, tuple(senders), confirmed, charset)


def _facility(row: Document | None) -> Facility | None:
    return _read(row) if row else None


def _read(row: Document) -> Facility:
    return Facility(row["_id"], row["name"], tuple(row["senders"]), row["confirmed"], row["charset"])
