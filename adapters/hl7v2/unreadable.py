"""A message that cannot be read, with the code that its acknowledgement carries."""

from adapters.record import Unmappable


class Unreadable(Unmappable):
    """Bytes that are no acceptable HL7 v2 message. `code` is of table 0357; the reason holds nothing of the content."""

    def __init__(self, reason: str, code: str, place: str = "") -> None:
        super().__init__(reason, place)
        self.code = code
