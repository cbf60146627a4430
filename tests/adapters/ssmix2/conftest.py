"""The sample storages, unpacked once, and what makes a storage unreadable."""

import gzip
import json
import os
import resource
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parent / "data"


def unpacked(name: str, folder: Path) -> Path:
    with tarfile.open(DATA / name) as packed:
        packed.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def ssmixtwins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The storage of 20 patients; its facility is not named by the folder."""
    return unpacked("ssmixtwins-20.tar.gz", tmp_path_factory.mktemp("ssmixtwins")) / "ssmixtwins-20"


@pytest.fixture(scope="session")
def expected() -> dict[str, Any]:
    """What is in `ssmixtwins`, by patient number."""
    facts: dict[str, Any] = json.loads(gzip.decompress((DATA / "ssmixtwins-20.expected.json.gz").read_bytes()))
    return facts


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The storages of the facilities 1119999991 and 1119999992, side by side."""
    return unpacked("own.tar.gz", tmp_path_factory.mktemp("own")) / "std"


@contextmanager
def no_descriptors() -> Iterator[None]:
    """A process that can open nothing more, as when a share is away: known folders, unknown content."""
    lowest = os.dup(0)
    os.close(lowest)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def unreadable(folder: Path) -> None:
    """Makes one folder below `folder` that nobody can open: its path is longer than the system takes."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    for _ in range(1 + os.pathconf(folder, "PC_PATH_MAX") // 250):
        os.mkdir("x" * 250, dir_fd=descriptor)
        above, descriptor = descriptor, os.open("x" * 250, os.O_RDONLY, dir_fd=descriptor)
        os.close(above)
    os.close(descriptor)
