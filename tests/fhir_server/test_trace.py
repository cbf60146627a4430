"""An error is named by its kind and its place, never by its text."""

from fhir_server.trace import where


def failed(error: Exception) -> Exception:
    try:
        raise error
    except Exception as caught:
        return caught


def test_an_error_is_named_by_kind_and_place() -> None:
    assert where(failed(ValueError("SECRETLEAK"))) == "ValueError at test_trace.py:8"


def test_of_several_errors_each_is_named() -> None:
    several = ExceptionGroup("SECRETLEAK", [failed(ValueError("SECRETLEAK")), failed(OSError("SECRETLEAK"))])
    assert where(failed(several)) == "ValueError at test_trace.py:8; OSError at test_trace.py:8"
