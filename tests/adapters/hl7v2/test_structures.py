import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.hl7v2.parse import parse
from adapters.hl7v2.structures import group, known
from adapters.hl7v2.tables import compile

HEADS = {"ADT": "ADT^A08", "ORU": "ORU^R01", "OUL": "OUL^R22", "OML": "OML^O33", "RDE": "RDE^O11", "PPR": "PPR^ZD1"}


def tree(kind, names):
    """`["PID", ["VISIT", "PV1"]]`: a group is a list that begins with its name; MSH is left out."""
    segments = "\r".join(f"{name}|" for name in names.split())
    return shown(group(parse(f"MSH|^~\\&|||||||{HEADS[kind]}|1|P|2.5\r{segments}")))


def shown(one):
    own = [segment.name for segment in one.segments if segment.name != "MSH"]
    return [one.name, *own, *map(shown, one.groups)]


@pytest.mark.parametrize("kind, names, expected", [
    ("ORU", "PID PV1 ORC OBR OBX NTE OBX ORC OBR OBX",
     ["ORU_R01", ["PATIENT_RESULT", ["PATIENT", "PID", ["VISIT", "PV1"]],
                  ["ORDER_OBSERVATION", "ORC", "OBR", ["OBSERVATION", "OBX", "NTE"], ["OBSERVATION", "OBX"]],
                  ["ORDER_OBSERVATION", "ORC", "OBR", ["OBSERVATION", "OBX"]]]]),
    ("ORU", "PID OBR OBR OBX PID OBR OBX",
     ["ORU_R01", ["PATIENT_RESULT", ["PATIENT", "PID"], ["ORDER_OBSERVATION", "OBR"],
                  ["ORDER_OBSERVATION", "OBR", ["OBSERVATION", "OBX"]]],
      ["PATIENT_RESULT", ["PATIENT", "PID"], ["ORDER_OBSERVATION", "OBR", ["OBSERVATION", "OBX"]]]]),
    ("ORU", "PID OBX",
     ["ORU_R01", ["PATIENT_RESULT", ["PATIENT", "PID"], ["ORDER_OBSERVATION", ["OBSERVATION", "OBX"]]]]),
    ("OUL", "PID PV1 SPM OBR ORC OBX OBX OBR OBX SPM OBR OBX",
     ["OUL_R22", ["PATIENT", "PID"], ["VISIT", "PV1"],
      ["SPECIMEN", "SPM", ["ORDER", "OBR", "ORC", ["RESULT", "OBX"], ["RESULT", "OBX"]],
       ["ORDER", "OBR", ["RESULT", "OBX"]]],
      ["SPECIMEN", "SPM", ["ORDER", "OBR", ["RESULT", "OBX"]]]]),
    ("OML", "PID PV1 AL1 SPM ORC TQ1 OBR OBX ORC TQ1 OBR OBX NTE",
     ["OML_O33", ["PATIENT", "PID", "AL1", ["PATIENT_VISIT", "PV1"]],
      ["SPECIMEN", "SPM", ["ORDER", "ORC", ["TIMING", "TQ1"], ["OBSERVATION_REQUEST", "OBR", ["OBSERVATION", "OBX"]]],
       ["ORDER", "ORC", ["TIMING", "TQ1"], ["OBSERVATION_REQUEST", "OBR", ["OBSERVATION", "OBX", "NTE"]]]]]),
    ("OML", "PID SPM ORC OBR PV1 ORC OBR OBX",
     ["OML_O33", ["PATIENT", "PID"],
      ["SPECIMEN", "SPM",
       ["ORDER", "ORC", ["OBSERVATION_REQUEST", "OBR",
                         ["PRIOR_RESULT", ["PATIENT_VISIT_PRIOR", "PV1"],
                          ["ORDER_PRIOR", "ORC", "OBR", ["OBSERVATION_PRIOR", "OBX"]]]]]]]),
    ("RDE", "PID ORC RXE TQ1 RXR ORC RXE TQ1 RXR RXR",
     ["RDE_O11", ["PATIENT", "PID"], ["ORDER", "ORC", "RXE", "RXR", ["TIMING_ENCODED", "TQ1"]],
      ["ORDER", "ORC", "RXE", "RXR", "RXR", ["TIMING_ENCODED", "TQ1"]]]),
    ("RDE", "PID IN1 AL1 ORC RXE RXR TQ1",
     ["RDE_O11", ["PATIENT", "PID", "AL1", ["INSURANCE", "IN1"]],
      ["ORDER", "ORC", "RXE", "RXR", ["TIMING_ENCODED", "TQ1"]]]),
    ("RDE", "PID ORC RXE RXR RXE RXR",
     ["RDE_O11", ["PATIENT", "PID"], ["ORDER", "ORC", "RXE", "RXR"], ["ORDER", "RXE", "RXR"]]),
    ("PPR", "PID PV1 PRB ZPR ZPD PRB ZPR",
     ["PPR_ZD1", "PID", ["PATIENT_VISIT", "PV1"], ["PROBLEM", "PRB", "ZPR", "ZPD"], ["PROBLEM", "PRB", "ZPR"]]),
    ("ADT", "EVN PID NK1 PV1 DB1 OBX AL1 IN1 NK1 ZZZ ROL",
     ["ADT_A01", "EVN", "PID", "NK1", "PV1", "DB1", "OBX", "AL1", "NK1", "ZZZ", "ROL", ["INSURANCE", "IN1"]]),
    ("ORU", "PID ZPI OBR ZBR OBX ZBX",
     ["ORU_R01", ["PATIENT_RESULT", ["PATIENT", "PID", "ZPI"],
                  ["ORDER_OBSERVATION", "OBR", "ZBR", ["OBSERVATION", "OBX", "ZBX"]]]]),
])
def test_groups(kind, names, expected):
    assert tree(kind, names) == expected


def test_a_structure_without_a_table_is_flat():
    one = group(parse("MSH|^~\\&|||||||ZZZ^Z01|1|P|2.5\rPID|1\rZZ1|a"))
    assert shown(one) == ["ZZZ_Z01", "PID", "ZZ1"]


def test_find_and_first():
    one = group(parse("MSH|^~\\&|||||||ORU^R01|1|P|2.5\rPID|1\rOBR|1\rOBX|1\rOBX|2\rOBR|2\rOBX|3"))
    first, second = one.find("ORDER_OBSERVATION")
    assert [two.first("OBX")[1].text for two in one.find("OBSERVATION")] == ["1", "2", "3"]
    assert (first.first("OBR")[1].text, second.first("OBR")[1].text, second.first("ORC")) == ("1", "2", None)
    assert [len(two.find("OBSERVATION")) for two in (first, second)] == [2, 1]


@given(st.sampled_from(sorted(HEADS)), st.lists(st.sampled_from(
    "PID PV1 PD1 NTE ORC OBR OBX SPM SAC TQ1 RXE RXR RXC AL1 IN1 IN2 PRB ZPR NK1 DG1 ROL FT1 TCD ZZ1".split())))
def test_every_segment_stays(kind, names):
    rows = [f"{name}|{at}" for at, name in enumerate(names)]
    message = parse("\r".join([f"MSH|^~\\&|||||||{HEADS[kind]}|1|P|2.5", *rows]))
    assert sorted(segments(group(message)), key=message.segments.index) == list(message.segments)


def segments(one):
    return [*one.segments, *(segment for inner in one.groups for segment in segments(inner))]


def test_the_table_is_what_the_build_script_makes():
    from adapters.hl7v2.structures import _tables

    assert _tables() == compile.compiled()
    assert known("ADT_A01") and known("PPR_ZD1") and not known("ADT_A08")


@pytest.mark.parametrize("kind, names", [
    ("PPR^PC1", ("ORC", "ROL", "ROL")),
    ("OUL^R22", ("RXC", "TQ1", "SAC", "SAC", "GOL")),
    ("RDE^O25", ("OBX", "PD1", "PV1", "TQ1", "TQ1", "PID")),
])
def test_segments_in_an_impossible_order_find_a_place_all_the_same(kind, names):
    whole = group(parse("\r".join((f"MSH|^~\\&|A|B|C|D|2024||{kind}|1|P|2.5", *(f"{one}|1" for one in names)))))
    assert sorted(everywhere(whole)) == sorted(("MSH", *names))


def everywhere(found):
    return [*(one.name for one in found.segments), *(name for inner in found.groups for name in everywhere(inner))]
