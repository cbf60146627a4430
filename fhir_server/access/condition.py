"""What a caller may see, as keys that every query must hold. A default denies."""

from collections.abc import Sequence

from fhir_server.access.caller import Caller
from fhir_server.outcome import Unauthorized


def condition(caller: Caller) -> Sequence[str]:
    """Returns the keys that every query of `caller` must hold, none for one who may see all. Raises Unauthorized."""
    if caller.open:
        return ()
    raise Unauthorized("This server asks for authorization. For a trial on this machine alone, start it with --open.")
