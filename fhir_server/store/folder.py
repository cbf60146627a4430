"""The data folder: what patients' data are in is entered by nobody else on this machine."""

import logging
import stat
from pathlib import Path

from fhir_server.store.error import StoreError

PRIVATE = 0o700
# What is in a data folder; one with other things in it may be somebody else's, and is not narrowed.
OURS = frozenset(("mongodb", "ssmix2", "demo"))

log = logging.getLogger(__name__)


def keep_private(data_dir: Path) -> None:
    """Makes the data folder ours alone. Raises StoreError where that cannot be."""
    try:
        _make(data_dir)
        _narrow(data_dir)
    except OSError as error:
        text = f"The data folder {data_dir} cannot be used: {error.strerror}. Choose one with --data-dir."
        raise StoreError(text) from None


def drop_folder(data_dir: Path) -> Path:
    """Returns the drop folder of SS-MIX2 storages, `<data folder>/ssmix2`, ours alone. Raises StoreError."""
    keep_private(data_dir)
    found = data_dir / "ssmix2"
    keep_private(found)
    return found


def _make(folder: Path) -> None:
    """Missing folders above it are private too: the data folder of a demonstration is in the one for real data."""
    for one in reversed((folder, *folder.parents)):
        if not one.is_dir():
            one.mkdir(PRIVATE, exist_ok=True)


def _narrow(folder: Path) -> None:
    if not _open(folder):
        return
    if folder.name not in OURS and {one.name for one in folder.iterdir()} - OURS:
        raise StoreError(
            f"Other users of this machine can look into the data folder {folder}, and there are other things in it. "
            f"Choose another with --data-dir, or: chmod 700 {folder}"
        )
    folder.chmod(PRIVATE)
    log.warning("%s could be entered by other users of this machine; now only by this one", folder)


def _open(folder: Path) -> bool:
    return bool(stat.S_IMODE(folder.stat().st_mode) & ~PRIVATE & 0o777)
