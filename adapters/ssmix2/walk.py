"""Walks an SS-MIX2 storage of any size in constant memory: patient by patient, oldest version first."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath

from adapters.ssmix2.path import DELETED, Key, parse, storage

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Found:
    """One file. `key` is None for what is no file of a storage, and `odd` then says why."""

    path: PurePosixPath
    size: int
    modified: int
    key: Key | None = None
    odd: str = ""


def walk(root: str, facility: str, limit: int) -> Iterator[list[Found]]:
    """Yields the files below `root` in groups of one patient, each group in order of 発生日時.

    Links are not followed; what is above `limit` bytes, no storage file or of another facility is `odd`.
    """
    for _, files in groupby(_files(os.path.abspath(root)), _patient):
        yield sorted((judged(file, facility, limit) for file in files), key=order)


def _files(folder: str) -> Iterator[os.DirEntry[str]]:
    for entry in content(folder):
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        else:
            yield entry


def content(folder: str) -> list[os.DirEntry[str]]:
    """Returns what is in a folder, by name; nothing, with a warning, where it cannot be read or has vanished."""
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        log.warning("a folder of the storage cannot be read: %s", error.strerror)
        return []


def _patient(file: os.DirEntry[str]) -> str:
    """The folder of the patient: three above the file, as the name would have it."""
    return os.path.dirname(os.path.dirname(os.path.dirname(file.path)))


def judged(file: os.DirEntry[str], facility: str, limit: int) -> Found:
    """Returns the file with its key, or with what is odd about it."""
    place = PurePosixPath(file.path)
    try:
        state = file.stat(follow_symlinks=False)
    except OSError:
        return Found(place, 0, 0, odd="vanished")
    key = parse(file.name)
    odd = _odd(file, key, state.st_size > limit, storage(place) not in ("", facility))
    return Found(place, state.st_size, state.st_mtime_ns, None if odd else key, odd)


def _odd(file: os.DirEntry[str], key: Key | None, large: bool, foreign: bool) -> str:
    if not file.is_file(follow_symlinks=False):
        return "no regular file"
    if key is None:
        return "no storage file"
    if foreign:
        return "another facility"
    return "too large" if large else ""


def order(file: Found) -> tuple[str, str, bool]:
    """Sorts by kind, so that the patient (ADT-00) comes before what refers to him; at one time the deletion last."""
    return (file.key.kind, file.key.time, file.key.flag == DELETED) if file.key else ("", "", False)
