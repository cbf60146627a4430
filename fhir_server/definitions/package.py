"""Reads a FHIR package (.tgz): the official one, JP Core, any other, all the same way.

https://confluence.hl7.org/display/FHIR/NPM+Package+Specification
"""

import gzip
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path

from fhir_server import fhirjson
from fhir_server.fhirjson import Resource

MB = 1024 * 1024
ONE_LIMIT = 64 * MB
WHOLE_LIMIT = 1024 * MB

# Only what lies directly in package/: its other folders hold examples and tools in no agreed form.
_RESOURCE_FILE = re.compile(r"package/[^/\\]+\.json")


class PackageError(ValueError):
    """The file is no FHIR package; the text names the file and what is wrong with it."""


def resources(path: Path) -> Iterator[Resource]:
    """Yields the resources of the package in its own order. Nothing is written to disk.

    Raises PackageError: no gzipped tar, a file that is no JSON, or more than 64 MB in one file or 1 GB in all.
    """
    try:
        with gzip.open(path) as stream, tarfile.open(fileobj=_Bounded(stream, path), mode="r|") as package:
            for member in package:
                yield from _resource(package, member, path)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise PackageError(f"{path} is no FHIR package: {error}.") from error


def _resource(package: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> Iterator[Resource]:
    if not (member.isfile() and _RESOURCE_FILE.fullmatch(member.name)):
        return
    if member.size > ONE_LIMIT:
        raise PackageError(f"{path}: {member.name} has {member.size} bytes, more than {ONE_LIMIT}.")
    file = package.extractfile(member)
    content = _decoded(file.read() if file else b"", f"{path}: {member.name}")
    # package.json and .index.json describe the package; they are no resources.
    if isinstance(content, dict) and "resourceType" in content:
        yield content


def _decoded(raw: bytes, place: str) -> object:
    try:
        return fhirjson.decode(raw)
    except (fhirjson.DecodeError, RecursionError) as error:
        raise PackageError(f"{place} is no JSON: {error}.") from error


class _Bounded(io.RawIOBase):
    """Reads on until WHOLE_LIMIT: a small file may unpack to more than any machine holds."""

    def __init__(self, stream: io.BufferedIOBase | gzip.GzipFile, path: Path) -> None:
        self._stream, self._path, self._left = stream, path, WHOLE_LIMIT

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self._left -= len(piece)
        if self._left < 0:
            raise PackageError(f"{self._path} unpacks to more than {WHOLE_LIMIT} bytes.")
        return piece
