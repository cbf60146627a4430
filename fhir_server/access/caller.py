"""Who asks. What a caller may see becomes part of every query (`condition`)."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Caller:
    """The authenticated party behind a request.

    name    of the client or feed, for provenance and audit
    source  institution number of the organisation it speaks for; stamped on what it writes, never from content
    open    everything is allowed: the trial mode `--open`, and the server's own work
    """

    name: str
    source: str = ""
    open: bool = False


ANONYMOUS = Caller("anonymous")
OPEN = Caller("open", open=True)
SYSTEM = Caller("system", open=True)


def feed(source: str) -> Caller:
    """Returns the caller behind a feed of the institution `source`: it may write everything, under its own name."""
    return Caller(f"feed {source}", source=source, open=True)
