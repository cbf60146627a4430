"""Who may work at once. A request that waits for the rest of its body gives up its place meanwhile.

The web server reads a body while the application asks for it, without a limit of time. So there are many more threads
than places: a few slow senders then hold threads, and not the server.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, StartResponse, WSGIApplication, WSGIEnvironment

Read = TypeVar("Read")


class Places:
    """An application of which at most `number` requests are at work at once, those that wait for bytes not counted."""

    def __init__(self, application: "WSGIApplication", number: int) -> None:
        self._application = application
        self._free, self._counting = number, Lock()
        self._waiting: deque[Lock] = deque()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ = {**environ, "wsgi.input": Body(environ["wsgi.input"], self.away)}
        self._enter()
        try:
            return self._application(environ, start_response)
        finally:
            self._leave()

    def away(self, read: Callable[[], Read]) -> Read:
        """Returns what `read` returns, without a place while it waits."""
        self._leave()
        try:
            return read()
        finally:
            self._enter()

    def _enter(self) -> None:
        with self._counting:
            if self._free:
                self._free -= 1
                return
            turn = Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def _leave(self) -> None:
        """A free place goes to who has waited longest, not to who comes by."""
        with self._counting:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1


class Body:
    """The body of a request, read while others work. See PEP 3333, "Input and Error Streams"."""

    def __init__(self, stream: "InputStream", away: Callable[[Callable[[], Any]], Any]) -> None:
        self._stream, self._away = stream, away

    def read(self, size: int = -1) -> bytes:
        read: bytes = self._away(lambda: self._stream.read(size))
        return read

    def readline(self, size: int = -1) -> bytes:
        line: bytes = self._away(lambda: self._stream.readline(size))
        return line

    def readlines(self, hint: int = -1) -> list[bytes]:
        return list(self)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")
