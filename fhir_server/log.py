"""The log, on stderr: it names places and ids; never a query, a name or a message."""

import logging
import sys
import threading
from types import TracebackType

from fhir_server.trace import where

log = logging.getLogger(__name__)


class Placed(logging.Formatter):
    """Writes of an error its kind and its place: its text may show a patient, as the text of a driver's does."""

    def formatException(self, ei: object) -> str:
        error = ei[1] if isinstance(ei, tuple) else None
        return where(error) if error else ""


def start() -> None:
    """Starts the log of this process. An error that nobody catches goes there too."""
    handler = logging.StreamHandler()
    handler.setFormatter(Placed("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    sys.excepthook = _ended
    threading.excepthook = _thread_ended


def _ended(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, Exception):
        log.critical("ended by %s", where(error))


def _thread_ended(of: threading.ExceptHookArgs) -> None:
    if of.exc_value:
        log.critical("thread %s ended by %s", of.thread.name if of.thread else "?", where(of.exc_value))
