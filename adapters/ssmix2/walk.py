"""Walks an SS-MIX2 storage of any size in constant memory: patient by patient, oldest version first.

Whoever may write into the storage may also put links, pipes and devices there: only folders are entered and only
regular files are read, without following a link.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import ELOOP
from itertools import groupby, islice
from pathlib import PurePosixPath

from adapters.ssmix2.path import DELETED, Key, parse, storage

# In one folder: a million would not fit into memory, and in a storage no folder comes near this.
MOST = 100_000

VANISHED, FOREIGN, TOO_LARGE, NOT_REGULAR = "vanished", "another facility", "too large", "no regular file"


@dataclass(frozen=True)
class Found:
    """One file, or a folder that cannot be read.

    modified  in nanoseconds since 1970, by the clock of the file system
    key       None for what is no file of a storage; `odd` then says why
    unread    why it could not be looked at; what it holds is unknown
    """

    path: PurePosixPath
    size: int
    modified: int
    key: Key | None = None
    odd: str = ""
    unread: str = ""


@dataclass(frozen=True)
class Listing:
    """What lies in one folder, by name. `unread` says why that is unknown, or ""."""

    path: str
    files: tuple[Found, ...] = ()
    folders: tuple[str, ...] = ()
    unread: str = ""


def walk(root: str, facility: str, limit: int) -> Iterator[list[Found]]:
    """Yields the files below `root` in groups of one patient, each group in order of 発生日時.

    Links are not followed; what is above `limit` bytes, no storage file or of another facility is `odd`.
    """
    listings = folders(os.path.realpath(root), facility, limit)
    for _, group in groupby((one for one in listings if one.files or one.unread), _patient):
        yield sorted((file for listing in group for file in _all(listing)), key=order)


def folders(root: str, facility: str, limit: int, skip: Callable[[str], bool] = lambda _: False) -> Iterator[Listing]:
    """Yields all folders from `root` down, each before those in it, in order of name, without those to `skip`.

    `root` is a real path, without links. A folder of more than MOST entries counts as unread.
    """
    ahead = [root]
    while ahead:
        path = ahead.pop()
        if skip(path):
            continue
        listing = listed(path, facility, limit)
        ahead.extend(reversed(listing.folders))
        yield listing


def listed(folder: str, facility: str, limit: int) -> Listing:
    """Returns what is in a folder."""
    try:
        with opened(folder, os.O_DIRECTORY) as descriptor, os.scandir(descriptor) as content:
            entries = sorted(islice(content, MOST + 1), key=lambda entry: entry.name)
            if len(entries) > MOST:
                return Listing(folder, unread="too many files")
            inner = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
            files = [entry for entry in entries if not entry.is_dir(follow_symlinks=False)]
            return Listing(
                folder,
                _judged(folder, files, facility, limit) if files else (),
                tuple(os.path.join(folder, name) for name in inner),
            )
    except OSError as error:
        return Listing(folder, unread=why(error))


@contextmanager
def opened(path: str | PurePosixPath, flags: int = 0) -> Iterator[int]:
    """Gives the descriptor of a file or folder. A link anywhere in `path` is refused, and a pipe does not wait.

    Raises OSError.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    try:
        # O_NOFOLLOW speaks of the last name alone; a folder above may have become a link since it was listed.
        if _place(descriptor, path) != str(path):
            raise OSError(ELOOP, "it lies behind a link")
        yield descriptor
    finally:
        os.close(descriptor)


def _place(descriptor: int, path: str | PurePosixPath) -> str:
    """The real path of what is open; where the system does not tell it, of what has that path now."""
    try:
        return os.readlink(f"/proc/self/fd/{descriptor}")
    except FileNotFoundError:
        return os.path.realpath(path)


def why(error: OSError) -> str:
    """Returns the reason alone: the text of an OSError shows the path, which names a patient."""
    return VANISHED if isinstance(error, FileNotFoundError) else error.strerror or type(error).__name__


def _patient(listing: Listing) -> str:
    """The folder of the patient: two above the folder, as the file name would have it."""
    return os.path.dirname(os.path.dirname(listing.path))


def _all(listing: Listing) -> tuple[Found, ...]:
    """What to tell of a folder: its files, or that it could not be read."""
    return (Found(PurePosixPath(listing.path), 0, 0, unread=listing.unread),) if listing.unread else listing.files


def _judged(folder: str, files: list[os.DirEntry[str]], facility: str, limit: int) -> tuple[Found, ...]:
    here = PurePosixPath(folder)
    foreign = storage(here / "-") not in ("", facility)
    return tuple(_found(here / file.name, file, foreign, limit) for file in files)


def _found(place: PurePosixPath, file: os.DirEntry[str], foreign: bool, limit: int) -> Found:
    """The file with its key, or with what is odd about it."""
    try:
        state = file.stat(follow_symlinks=False)
    except OSError as error:
        return Found(place, 0, 0, unread=why(error))
    key = parse(file.name)
    odd = _odd(file, key, foreign, state.st_size > limit)
    return Found(place, state.st_size, state.st_mtime_ns, None if odd else key, odd)


def _odd(file: os.DirEntry[str], key: Key | None, foreign: bool, large: bool) -> str:
    if not file.is_file(follow_symlinks=False):
        return NOT_REGULAR
    if key is None:
        return "no storage file"
    if foreign:
        return FOREIGN
    return TOO_LARGE if large else ""


def order(file: Found) -> tuple[str, str, bool]:
    """Sorts by kind, so that the patient (ADT-00) comes before what refers to him; at one time the deletion last."""
    return (file.key.kind, file.key.time, file.key.flag == DELETED) if file.key else ("", "", False)
