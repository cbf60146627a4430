"""Packages are read as they come from strangers: nothing outside package/, nothing too large, no crash."""

import io
import tarfile
from pathlib import Path

import pytest

from fhir_server.definitions import package
from fhir_server.definitions.package import PackageError, resources

PATIENT = b'{"resourceType": "Patient", "id": "p"}'


def packed(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def test_resources_come_in_the_order_of_the_package(tmp_path: Path) -> None:
    path = packed(tmp_path, {
        "package/package.json": b'{"name": "x"}',
        "package/b.json": b'{"resourceType": "Basic"}',
        "package/a.json": PATIENT,
    })
    assert list(resources(path)) == [{"resourceType": "Basic"}, {"resourceType": "Patient", "id": "p"}]


@pytest.mark.parametrize("name", [
    "package/../a.json", "/package/a.json", "a.json", "package/openapi/a.json", "package\\a.json", "package/a.xml"])
def test_other_places_are_not_looked_at(tmp_path: Path, name: str) -> None:
    assert list(resources(packed(tmp_path, {name: PATIENT}))) == []


def test_links_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "package.tgz"
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo("package/a.json")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    assert list(resources(path)) == []


@pytest.mark.parametrize("content", [b"{", b"[" * 5000 + b"]" * 5000, b"\xff"])
def test_a_file_that_is_no_json_is_named(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(PackageError, match=r"package/a\.json is no JSON"):
        list(resources(packed(tmp_path, {"package/a.json": content})))


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08\x00cut off"])
def test_a_file_that_is_no_package_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "strange.tgz"
    path.write_bytes(content)
    with pytest.raises(PackageError, match=r"strange\.tgz is no FHIR package"):
        list(resources(path))


def test_a_file_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "ONE_LIMIT", 20)
    with pytest.raises(PackageError, match=r"package/a\.json has 38 bytes, more than 20"):
        list(resources(packed(tmp_path, {"package/a.json": PATIENT})))


def test_a_package_over_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "WHOLE_LIMIT", 10_000)
    with pytest.raises(PackageError, match="unpacks to more than 10000 bytes"):
        list(resources(packed(tmp_path, {"package/a.json": b" " * 1_000_000})))
