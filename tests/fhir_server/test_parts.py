"""What a running part tells of itself."""

import threading
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fhir_server import parts
from fhir_server.context import Context
from fhir_server.outcome import Unavailable
from fhir_server.store.error import StoreError
from tests.server import START


class Interrupted:
    """Heartbeats of a database that is away for the first two."""

    def __init__(self) -> None:
        self.asked, self.back = 0, threading.Event()

    def beat(self, part: str, name: str, now: datetime) -> None:
        self.asked += 1
        if self.asked <= 2:
            raise Unavailable("The database does not answer.")
        self.back.set()

    def leave(self, part: str, name: str) -> None:
        raise Unavailable("The database does not answer.")


def test_a_part_that_fails_tells_the_place_and_not_the_text(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit), parts.told("worker"):
        raise ValueError("SECRETLEAK")
    assert "worker ended by ValueError at parts.py:" in caplog.messages[0] and "test_parts.py:" in caplog.messages[0]
    assert "SECRETLEAK" not in caplog.text


def test_a_database_that_is_not_ours_is_told_in_words(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SystemExit), parts.told("web"):
        raise StoreError("The database holds a demonstration.")
    assert caplog.messages == ["web: The database holds a demonstration."]


def test_a_part_signs_again_when_the_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "EVERY", 0.01)
    beats = Interrupted()
    around: Any = SimpleNamespace(store=SimpleNamespace(heartbeats=beats), now=lambda: START)
    with parts.signing("worker", cast(Context, around)):
        assert beats.back.wait(10)
