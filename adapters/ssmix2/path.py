"""The name of a file in SS-MIX2 standardized storage: the key of its record, its version and its state.

`患者ID_診療日_データ種別_特定キー_発生日時_診療科コード_フラグ`, in `ID[0:3]/ID[3:6]/ID/診療日/データ種別/`
(JAMI, SS-MIX2 標準化ストレージ 構成の説明と構築ガイドライン). No file has an extension.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from pathlib import PurePosixPath

# Flags; 1 is the current version.
DELETED, SUPERSEDED = "0", "2"

_NAME = re.compile(
    r"(?P<patient>[^_/\0]{1,15})_(?P<date>[0-9]{8}|-)_(?P<kind>[^_/\0]+)_(?P<order>[^_/\0]{1,22})"
    r"_(?P<time>[0-9]{14,17})_(?:(?P<department>[^_/\0]{1,5})_)?(?P<flag>[012])"
)
_NUMBER = re.compile(r"[0-9]{10}")


@dataclass(frozen=True)
class Key:
    """What a file name says. `department` is "" where the name has no such part; `-` stays `-`."""

    patient: str
    date: str
    kind: str
    order: str
    time: str
    department: str
    flag: str

    @property
    def name(self) -> str:
        parts = (self.patient, self.date, self.kind, self.order, self.time, self.department, self.flag)
        return "_".join(part for part in parts if part)

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders above the file, from the first below the root."""
        return (self.patient[:3], self.patient[3:6], self.patient, self.date, self.kind)

    def moment(self, zone: tzinfo) -> datetime:
        """Returns 発生日時, the version. Hours 24 to 47 are the small hours of the next day. Raises ValueError."""
        hour, night = int(self.time[8:10]), timedelta()
        if 24 <= hour < 48:
            hour, night = hour - 24, timedelta(days=1)
        text = f"{self.time[:8]}{hour:02}{self.time[10:14]}"
        fraction = timedelta(milliseconds=int(self.time[14:].ljust(3, "0")))
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=zone) + night + fraction


def parse(name: str) -> Key | None:
    """Returns the key in a file name; None for anything else that lies in a storage (Thumbs.db, copies, drafts).

    A name with line ends, terminal escapes or bytes that are no UTF-8 is no file name of a storage.
    """
    found = _NAME.fullmatch(name) if name.isprintable() else None
    return Key(**{part: value or "" for part, value in found.groupdict().items()}) if found else None


def shown(text: str) -> str:
    """Returns the text fit for a terminal, a log and the journal: what does not print is escaped (`\\n`, `\\udcff`)."""
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def control(path: PurePosixPath) -> str:
    """Returns what names a file at its facility, whatever root or volume it lies in: `ID/診療日/データ種別/file`."""
    return shown("/".join(path.parts[-4:]))


def misplaced(place: PurePosixPath, key: Key) -> bool:
    """Whether the folders of `place`, as far as they are given, contradict the file name."""
    given = place.parent.parts[-3:]
    return given != key.folders[-len(given):] if given else False


def storage(path: PurePosixPath) -> str:
    """Returns the 医療施設ID of the storage root above a file, "" where the root bears another name."""
    above = path.parts[:-6]
    found = _NUMBER.match(above[-1]) if above else None
    return found.group() if found else ""
