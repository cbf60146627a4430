"""MLLP frames out of a stream of bytes: VT, the message, FS CR (HL7 v2.5 appendix C, Minimal Lower Layer Protocol).

A lone FS is data; a VT inside a frame abandons it and begins anew; what stands outside of frames is skipped and
counted. Time is linear in the bytes, memory bounded by the limit.
"""

import re
from dataclasses import dataclass

VT, FS_CR = b"\x0b", b"\x1c\r"
HEAD = 4096

_MARK = re.compile(rb"\x0b|\x1c\r|\x1c\Z")


@dataclass(frozen=True)
class Frame:
    """A whole frame; of one longer than the limit only the head was kept."""

    raw: bytes
    oversize: bool = False


class Framer:
    """Feed it what arrives.

    size     bytes of the frame that is open, 0 where none is
    skipped  bytes since the last whole frame that belong to none
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self.skipped = 0
        self._open = False
        self._body = bytearray()
        self._held = b""

    @property
    def open(self) -> bool:
        return self._open

    @property
    def buffered(self) -> int:
        return len(self._body)

    def feed(self, data: bytes) -> list[Frame]:
        """Returns the frames that `data` completes."""
        data, self._held = self._held + data, b""
        frames: list[Frame] = []
        at = 0
        while at < len(data):
            at = self._inside(data, at, frames) if self._open else self._outside(data, at)
        return frames

    def _outside(self, data: bytes, at: int) -> int:
        start = data.find(VT, at)
        end = len(data) if start < 0 else start
        self.skipped += end - at
        if start >= 0:
            self._begin()
        return end + 1

    def _inside(self, data: bytes, at: int, frames: list[Frame]) -> int:
        mark = _MARK.search(data, at)
        self._append(data[at : mark.start()] if mark else data[at:])
        if not mark:
            return len(data)
        if mark[0] == VT:
            self.skipped += self.size
            self._begin()
        elif mark[0] == FS_CR:
            frames.append(self._end())
        else:
            self._held = mark[0]
        return mark.end()

    def _begin(self) -> None:
        self._open, self.size = True, 0
        self._body.clear()

    def _append(self, data: bytes) -> None:
        self.size += len(data)
        self._body += data
        if self.size > self.limit:
            del self._body[HEAD:]

    def _end(self) -> Frame:
        frame = Frame(bytes(self._body), self.size > self.limit)
        self._begin()
        self._open, self.skipped = False, 0
        return frame


def framed(message: bytes) -> bytes:
    """Returns the message as one frame."""
    return VT + message + FS_CR
