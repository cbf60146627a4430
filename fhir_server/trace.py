"""Where something failed, for the log: never the values, which may be a patient's."""

import traceback


def where(error: BaseException) -> str:
    """Returns the kind of an error and the places it went through, without its text: `ValueError at read.py:12, …`."""
    if isinstance(error, BaseExceptionGroup):
        return "; ".join(where(one) for one in error.exceptions)
    frames = traceback.extract_tb(error.__traceback__)
    places = ", ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
    return f"{type(error).__name__} at {places}"
