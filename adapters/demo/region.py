"""The facilities and residents of the synthetic region. The same seed gives the same region; no one in it exists.

Prefecture 99 does not exist, so neither do the institution numbers; the family names are words such as 見本 (sample).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from adapters.facility import Facility

SEED = 2575

HOSPITAL = Facility("9910000011", "架空県立見本病院（実在しません）", ("MIHON-HP",))
CLINIC = Facility("9910000029", "例示内科クリニック（実在しません）", ("REIJI-CL",))
SURGERY = Facility("9910000037", "演習町診療所（実在しません）", ("ENSHU-CL",))
FACILITIES = (HOSPITAL, CLINIC, SURGERY)

FAMILIES = (
    ("見本", "ミホン"),
    ("架空", "カクウ"),
    ("例示", "レイジ"),
    ("試験", "シケン"),
    ("仮名", "カメイ"),
    ("模擬", "モギ"),
    ("練習", "レンシュウ"),
    ("演習", "エンシュウ"),
    ("想定", "ソウテイ"),
)
GIVEN = {
    "F": (("花子", "ハナコ"), ("桜", "サクラ"), ("和子", "カズコ"), ("葵", "アオイ")),
    "M": (("太郎", "タロウ"), ("次郎", "ジロウ"), ("健一", "ケンイチ"), ("蓮", "レン")),
}


@dataclass(frozen=True)
class Resident:
    """A patient of one facility; `number` is the one that facility gave."""

    number: str
    family: tuple[str, str]
    given: tuple[str, str]
    gender: str
    birth: date
    facility: Facility


def residents() -> list[Resident]:
    """Returns 36 residents, a dozen for each facility; the first is the one the demonstration shows most of."""
    return list(_residents(Random(SEED)))


def _residents(random: Random) -> Iterator[Resident]:
    for index in range(36):
        gender = "FM"[index % 2]
        yield Resident(
            number=f"{index + 1:010d}",
            family=FAMILIES[index % len(FAMILIES)],
            given=GIVEN[gender][index // 9],
            gender=gender,
            birth=date(1932, 1, 1) + timedelta(days=random.randrange(85 * 365)),
            facility=FACILITIES[index % 3],
        )
