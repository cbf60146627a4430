"""An SS-MIX2 standardized storage of the synthetic region, written into the drop folder as a hospital would."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from adapters.demo import messages
from adapters.demo.region import SEED, SURGERY, Resident, residents

NO_ORDER = "999999999999999"


def files(begin: datetime) -> Iterator[tuple[str, bytes]]:
    """Yields (path within the institution's folder, content): the person and one laboratory result of each resident."""
    random = Random(SEED)
    for index, resident in enumerate(one for one in residents() if one.facility == SURGERY):
        at = begin + timedelta(hours=index)
        order = f"{at:%y%m%d}{index:09d}"
        yield _path(resident, "-", "ADT-00", NO_ORDER, at), messages.admission(resident, at, "A08")
        result = messages.laboratory_file(resident, at, order, random)
        yield _path(resident, f"{at:%Y%m%d}", "OML-11", order, at), result


def write(drop: Path, begin: datetime) -> None:
    """Writes the storage below `drop`; a file that is there already stays as it is."""
    for name, content in files(begin):
        _write(drop / SURGERY.number / name, content)


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".tmp")
    unfinished.write_bytes(content)
    unfinished.rename(path)


def _path(resident: Resident, day: str, kind: str, order: str, at: datetime) -> str:
    number = resident.number
    name = f"{number}_{day}_{kind}_{order}_{at:%Y%m%d%H%M%S}000_01_1"
    return f"{number[:3]}/{number[3:6]}/{number}/{day}/{kind}/{name}"
