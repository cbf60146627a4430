"""The log names the place of an error, and shows nothing of its text."""

import logging
import subprocess
import sys

import pytest

from fhir_server.log import Placed

BEFORE = "import logging, threading, multiprocessing; from fhir_server import log; log.start()\n"
FAIL = "def fail(): raise ValueError('SECRETLEAK')\n"


@pytest.mark.parametrize("end, said", [
    ("fail()", "CRITICAL fhir_server.log: ended by ValueError at <string>:3, <string>:2"),
    ("one = threading.Thread(target=fail, name='one'); one.start(); one.join()",
     "CRITICAL fhir_server.log: thread one ended by ValueError at threading.py"),
    ("try: fail()\nexcept ValueError: logging.exception('odd')",
     "ERROR root: odd\nValueError at <string>:3, <string>:2"),
])
def test_an_error_that_nobody_catches_is_told_by_kind_and_place(end: str, said: str) -> None:
    done = subprocess.run([sys.executable, "-c", BEFORE + FAIL + end], capture_output=True, text=True)
    assert said in done.stderr
    assert "SECRETLEAK" not in done.stdout + done.stderr


def test_a_cause_is_not_shown_either() -> None:
    try:
        try:
            raise ValueError("SECRETLEAK")
        except ValueError as inner:
            raise KeyError("SECRETLEAK") from inner
    except KeyError as error:
        record = logging.LogRecord("n", logging.ERROR, "p", 1, "m", None, (KeyError, error, error.__traceback__))
    assert Placed("%(message)s").format(record).startswith("m\nKeyError at test_log.py:")
    assert "SECRETLEAK" not in Placed("%(message)s").format(record)
