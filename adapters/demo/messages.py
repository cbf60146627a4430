"""HL7 v2.5 messages of the synthetic region, as Japanese hospitals send them: ISO-2022-JP, JLAC10, HOT9, JAMI usage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from adapters.demo.region import Resident

DOCTOR = "D0001^架橋^医師^^^^^^^L^^^^^I"


@dataclass(frozen=True)
class Test:
    """A laboratory test: JLAC10 code, name, unit, reference range, and what is drawn around it."""

    code: str
    name: str
    unit: str
    low: float
    high: float
    digits: int


TESTS = (
    Test("3B035000002327201", "ＡＳＴ", "U/L", 13, 30, 0),
    Test("3B045000002327201", "ＡＬＴ", "U/L", 7, 23, 0),
    Test("3C015000002327101", "クレアチニン", "mg/dL", 0.46, 0.79, 2),
    Test("3H015000002326101", "カリウム", "mmol/L", 3.6, 4.8, 1),
    Test("3D046000001920402", "ＨｂＡ１ｃ（ＮＧＳＰ）", "%", 4.9, 6.0, 1),
    Test("5C070000002306201", "ＣＲＰ", "mg/dL", 0.0, 0.14, 2),
)
DRUGS = (
    ("999000301", "架空アトルバ錠１０ｍｇ", "1011040000000000", "１日１回夕食後", 1),
    ("999000201", "架空フェキソ錠６０ｍｇ", "1012040400000000", "１日２回朝夕食後", 2),
    ("999000601", "架空アスピリン錠", "1011000400000000", "１日１回朝食後", 1),
)


def admission(resident: Resident, at: datetime, event: str) -> bytes:
    """ADT^A01 admitted, A03 discharged, A04 registered, A08 updated: the whole person and the stay."""
    inpatient = event in ("A01", "A03")
    leaves = f"{at:%Y%m%d%H%M%S}" if event == "A03" else ""
    place = "E5^512^1^^^N" if inpatient else "01^^^^^C"
    stay = [""] * 46
    stay[1:4], stay[7], stay[10] = ["0001", "I" if inpatient else "O", place], DOCTOR, "01"
    stay[44], stay[45] = f"{at:%Y%m%d}080000", leaves
    visit = "PV1|" + "|".join(stay[1:]).rstrip("|")
    kind = f"ADT^{event}^{'ADT_A03' if event == 'A03' else 'ADT_A01'}"
    return _message(resident, at, kind, [f"EVN|{event}|{at:%Y%m%d%H%M%S}", _person(resident), visit])


def results(resident: Resident, at: datetime, random: Random, tests: Sequence[Test] = TESTS) -> bytes:
    """ORU^R01: one report with a result for each test."""
    order = f"L{_number(resident, at)}"
    rows = [_result(index, test, at, random) for index, test in enumerate(tests, 1)]
    return _outpatient(resident, at, "ORU^R01^ORU_R01", [*_report(order, at), *rows])


def prescription(resident: Resident, at: datetime, random: Random) -> bytes:
    """RDE^O11: one or two drugs for two weeks."""
    order = f"{_number(resident, at):0>15}"
    drugs = random.sample(DRUGS, random.randint(1, 2))
    rows = [row for index, drug in enumerate(drugs, 1) for row in _drug(order, index, drug, at)]
    return _outpatient(resident, at, "RDE^O11^RDE_O11", rows)


def broken_prescription(resident: Resident, at: datetime) -> bytes:
    """RDE^O11 whose second drug has no code and no name: it waits in quarantine, to show how that looks."""
    order = f"{_number(resident, at):0>15}"
    rows = [*_drug(order, 1, DRUGS[0], at), *_drug(order, 2, ("", "", *DRUGS[1][2:]), at)]
    return _outpatient(resident, at, "RDE^O11^RDE_O11", rows)


def laboratory_file(resident: Resident, at: datetime, order: str, random: Random) -> bytes:
    """OUL^R22, the content of an SS-MIX2 file OML-11."""
    specimen = f"SPM|1|{order[-9:]}S||023^血清^JC10|||||||||||||{at:%Y%m%d%H%M%S}"
    request = f"OBR|1|{order}||3^生化学的検査^JC10|||{at:%Y%m%d%H%M%S}"
    common = f"ORC|SC|{order}|||CM||||{at:%Y%m%d%H%M%S}"
    rows = [_result(index, test, at, random) for index, test in enumerate(TESTS[:4], 1)]
    return _outpatient(resident, at, "OUL^R22^OUL_R22", [specimen, request, common, *rows])


def _report(order: str, at: datetime) -> list[str]:
    return [
        f"ORC|RE|{order}||||||||||{DOCTOR}",
        f"OBR|1|{order}||3^生化学的検査^JC10|||{at:%Y%m%d%H%M%S}||||||||023^血清^JC10|{DOCTOR}"
        f"||||||{at:%Y%m%d%H%M%S}|||F",
    ]


def _result(index: int, test: Test, at: datetime, random: Random) -> str:
    value = random.uniform(test.low, test.high * 1.3)
    flag = "H" if value > test.high else ""
    unit = f"{test.unit}^{test.unit}^ISO+"
    return (
        f"OBX|{index}|NM|{test.code}^{test.name}^JC10||{value:.{test.digits}f}|{unit}"
        f"|{test.low:g}-{test.high:g}|{flag}|||F|||{at:%Y%m%d%H%M%S}"
    )


def _drug(order: str, index: int, drug: tuple[str, str, str, str, int], at: datetime) -> list[str]:
    code, name, usage, usage_name, times = drug
    return [
        f"ORC|NW|{order}||{order}_{index:02d}_001|||||{at:%Y%m%d%H%M%S}|||{DOCTOR}|||||01^内科^HL70069"
        "||||||||||||O^外来患者オーダ^HL70482",
        f"RXE||{code}^{name}^HOT9|1||TAB^錠^MR9P|||||{14 * times}|TAB^錠^MR9P||||||||{times}^TAB&錠&MR9P||OHP^外来処方^MR9P",
        f"TQ1|1||{usage}&内服・経口・{usage_name}&JAMISDP01|||14^d|{at:%Y%m%d}",
        "RXR|PO^口^HL70162",
    ]


def _person(resident: Resident) -> str:
    (family, family_kana), (given, given_kana) = resident.family, resident.given
    house = int(resident.number)
    return (
        f"PID|0001||{resident.number}^^^^PI||{family}^{given}^^^^^L^I~{family_kana}^{given_kana}^^^^^L^P"
        f"||{resident.birth:%Y%m%d}|{resident.gender}|||^^^^999-0000^JPN^H^架空県見本市例示町{house}番地"
        f"||^PRN^PH^^^^^^^^^000-0000-{house:04d}"
    )


def _number(resident: Resident, at: datetime) -> str:
    return f"{at:%y%m%d%H%M%S}{int(resident.number):03d}"


def _outpatient(resident: Resident, at: datetime, kind: str, segments: Sequence[str]) -> bytes:
    return _message(resident, at, kind, [_person(resident), "PV1|0001|O|01^^^^^C", *segments])


def _message(resident: Resident, at: datetime, kind: str, segments: Sequence[str]) -> bytes:
    control = f"{kind[:7].replace('^', '')}{_number(resident, at)}"
    header = (
        f"MSH|^~\\&|HIS|{resident.facility.senders[0]}|KAKEHASHI|REGION|{at:%Y%m%d%H%M%S}||{kind}|{control}|P|2.5"
        "||||||~ISO IR87||ISO 2022-1994"
    )
    return "".join(f"{one}\r" for one in (header, *segments)).encode("iso2022_jp_ext")
