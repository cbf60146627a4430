"""What becomes of a message when the journal does not take it, or when we stumble over it."""

import logging
from datetime import UTC, datetime

import pytest
from pymongo import MongoClient

from adapters.admission import Admission
from adapters.hl7v2.framer import Frame
from adapters.hl7v2.intake import Intake, accepting
from tests.conftest import DATABASE

RAW = (
    b"MSH|^~\\&|HIS|MINAMI|GW|HUB|20240603||ADT^A08^ADT_A01|C1|P|2.5\rEVN||20240603\r"
    b"PID|1||0004417733||SECRETLEAK^TARO\rPV1|1|O\r"
)
NOW = datetime(2026, 4, 1, tzinfo=UTC)


@pytest.fixture
def refusing(mongodb_uri, store):
    """The database of a journal that takes nothing."""
    with MongoClient(mongodb_uri) as client:
        client[DATABASE].command("collMod", "journal", validator={"feed": "none"})
        yield store
        client[DATABASE].command("collMod", "journal", validator={})


def test_a_journal_that_refuses_writes_is_logged_without_the_message(refusing, caplog):
    caplog.set_level(logging.DEBUG)
    intake = Intake(Admission(refusing.facilities, True).of_sender, {("ADT", "A08"): (("PID", 3),)})
    [answer] = accepting(intake, refusing.journal, lambda: NOW, lambda: "K1")([Frame(RAW)])
    assert b"\rMSA|AR|C1\r" in answer
    assert "the journal took none of 1 messages: Unavailable at " in caplog.text
    assert "SECRETLEAK" not in caplog.text


def test_a_fault_of_ours_is_logged_without_the_message(store, caplog):
    caplog.set_level(logging.DEBUG)

    def admit(sender, now):
        raise ValueError("SECRETLEAK")

    intake = Intake(admit, {("ADT", "A08"): (("PID", 3),)})
    [answer] = accepting(intake, store.journal, lambda: NOW, lambda: "K1")([Frame(RAW)])
    assert b"\rMSA|AE|C1\r" in answer
    assert f"a message of {len(RAW)} bytes could not be looked at: ValueError at intake.py:" in caplog.text
    assert "SECRETLEAK" not in caplog.text
