"""SS-MIX2: `kakehashi load ssmix2` of the sample storage, in copies, into an empty database."""

import re
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.result import Result, at_least
from benchmarks.site import Site
from fhir_server.app import open_context
from fhir_server.config import Config
from fhir_server.store import embedded
from fhir_server.store.queue import PARKED

SAMPLE = Path(__file__).parent.parent / "tests/adapters/ssmix2/data/ssmixtwins-20.tar.gz"
FACILITY = "1119999991"

# The order numbers of the sample have 15 digits and begin with 000.
_ORDER = re.compile(rb"(?<![0-9])000(?=[0-9]{12}(?![0-9]))")


def run(site: Site) -> Iterator[Result]:
    storage, data = site.folder / "storage", site.folder / "loaded"
    files = storage_of(site.scale.copies, storage)
    with embedded.running(data) as uri:
        start = time.perf_counter()
        loaded = subprocess.run(
            [sys.executable, "-m", "fhir_server.cli", "load", "ssmix2", str(storage),
             "--facility", FACILITY, "--data-dir", str(data)], capture_output=True, check=False)
        seconds = time.perf_counter() - start
        resources, parked = _found(Config(data_dir=data, mongodb_uri=uri))
    errors = parked + bool(loaded.returncode)
    yield Result(f"SS-MIX2 files, {files:,} loaded", files / seconds, "files/s", at_least(600),
                 "start of the command included", errors=errors)
    yield Result("SS-MIX2 resources", resources / seconds, "resources/s", at_least(3000),
                 f"{resources:,} stored, Provenance among them")


def storage_of(copies: int, folder: Path) -> int:
    """Writes a storage with so many copies of the sample's patients, each with numbers of their own; counts files."""
    with tarfile.open(SAMPLE) as packed:
        sample = {one.name: file.read() for one in packed if (file := packed.extractfile(one))}
    for copy in range(copies):
        for name, content in sample.items():
            path = folder / _renumbered_path(name, copy)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_renumbered(content, Path(name).name.partition("_")[0], copy))
    return copies * len(sample)


def _renumbered_path(name: str, copy: int) -> Path:
    *_, patient, date, kind, file = name.split("/")
    own = _own(patient, copy)
    return Path(own[:3], own[3:6], own, date, kind, _renumbered(file.encode(), patient, copy).decode())


def _renumbered(text: bytes, patient: str, copy: int) -> bytes:
    return _ORDER.sub(b"%03d" % copy, text).replace(patient.encode(), _own(patient, copy).encode())


def _own(patient: str, copy: int) -> str:
    # A prime step, so that copies of different patients do not meet.
    return f"{(int(patient) + 7919 * copy) % 10 ** len(patient):0{len(patient)}}"


def _found(config: Config) -> tuple[int, int]:
    """Returns how many resources are stored, and how many files are in quarantine."""
    with open_context(config) as context:
        counts = context.store.journal.counts()
        parked = sum(one.number for one in counts if one.state == PARKED)
        return sum(context.store.counts().values()), parked
