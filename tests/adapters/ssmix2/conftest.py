"""The sample storages, unpacked once."""

import gzip
import json
import tarfile
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
