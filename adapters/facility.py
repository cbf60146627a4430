"""The facilities that feed the network, as the maps need them."""

from dataclasses import dataclass
from datetime import timedelta, timezone, tzinfo

JST = timezone(timedelta(hours=9), "JST")


@dataclass(frozen=True)
class Facility:
    """One disclosing institution.

    number    10 digits: prefecture 2, fee table 1, institution code 7
    senders   the MSH-4 values it sends under
    charset   decoding of messages that declare none in MSH-18
    zone      of times that carry no offset
    """

    number: str
    name: str
    senders: tuple[str, ...] = ()
    confirmed: bool = True
    charset: str = "ascii"
    zone: tzinfo = JST
