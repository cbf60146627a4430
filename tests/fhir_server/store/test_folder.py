"""Nobody else on the machine enters the data folder."""

import logging
import stat
from pathlib import Path

import pytest

from fhir_server.store.error import StoreError
from fhir_server.store.folder import drop_folder, keep_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_private_and_so_is_what_is_above_it(tmp_path: Path) -> None:
    assert drop_folder(tmp_path / "data" / "demo") == tmp_path / "data" / "demo" / "ssmix2"
    made = [tmp_path / "data", tmp_path / "data" / "demo", tmp_path / "data" / "demo" / "ssmix2"]
    assert [mode(one) for one in made] == [0o700, 0o700, 0o700]


def test_a_wider_one_is_narrowed_and_that_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    data = tmp_path / "data"
    (data / "ssmix2" / "1119999991").mkdir(parents=True)
    data.chmod(0o755)
    (data / "ssmix2").chmod(0o750)
    drop_folder(data)
    assert (mode(data), mode(data / "ssmix2")) == (0o700, 0o700)
    told = "could be entered by other users of this machine; now only by this one"
    assert caplog.messages == [f"{data} {told}", f"{data / 'ssmix2'} {told}"]
    drop_folder(data)
    assert len(caplog.messages) == 2


def test_one_with_other_things_in_it_is_left_alone_and_refused(tmp_path: Path) -> None:
    (tmp_path / "shared" / "other").mkdir(parents=True)
    (tmp_path / "shared").chmod(0o755)
    with pytest.raises(StoreError, match="are other things in it. Choose another with --data-dir, or: chmod 700 "):
        keep_private(tmp_path / "shared")
    assert mode(tmp_path / "shared") == 0o755


def test_what_cannot_be_made_is_named_with_its_option(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="/file/data cannot be used: .*. Choose one with --data-dir."):
        keep_private(tmp_path / "file" / "data")
