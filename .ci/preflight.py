"""Looks, before anything is installed, for what pip cannot bring, and names the one command that brings it."""

import ctypes
import importlib.util
import os
import platform
import shutil
import sys


def loads(library):
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def needs_libcurl():
    """The trial database of the wheel needs libcurl; a database of one's own, or a mongod on PATH, does not."""
    if os.environ.get("MONGODB_URI") or shutil.which("mongod") or platform.system() != "Linux":
        return False
    return not loads("libcurl.so.4")


def missing():
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        yield "python3-venv"
    if needs_libcurl():
        yield "libcurl4"


def main():
    if sys.version_info < (3, 11):
        version = platform.python_version()
        return "This is Python %s; 3.11 or newer is needed: make setup PYTHON=python3.11" % version
    packages = list(missing())
    return "Missing. Install it with: sudo apt-get install -y %s" % " ".join(packages) if packages else 0


if __name__ == "__main__":
    sys.exit(main())
