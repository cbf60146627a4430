"""Messages as bytes, by the name of their file."""

from pathlib import Path


def message(name: str) -> bytes:
    """Returns the bytes of `<name>.hl7`."""
    return (Path(__file__).parent / f"{name}.hl7").read_bytes()
