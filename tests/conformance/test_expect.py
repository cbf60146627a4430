"""Each kind of expectation is caught when a server answers wrong, and content when it answers right."""

import gzip
from dataclasses import replace
from typing import Any

import pytest

from conformance import driver
from conformance.driver import FAILED, NOT_CLAIMED, PASSED, Run
from conformance.expect import EXPECTATIONS
from conformance.http import Server
from conformance.requirement import Requirement, Step
from tests.conformance.wrong import STATEMENT, Says, Wrong, wrong

NAMES = [{"family": "山田"}, {"family": "ヤマダ"}]
PATIENT = {"resourceType": "Patient", "id": "1", "birthDate": "1970-03-05", "name": NAMES}
ISSUE = {"severity": "error", "code": "invalid", "diagnostics": "name is wrong"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [ISSUE]}


def bundle(*ids: str, mode: str = "match", **more: Any) -> dict[str, Any]:
    entries = [{"resource": {"resourceType": "Patient", "id": id_}, "search": {"mode": mode}} for id_ in ids]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}


def requirement(*steps: Step, level: str = "SHALL", claims: tuple[str, ...] = ()) -> Requirement:
    return Requirement("test.one", "test", "A title", "題", level, "A rule.", "https://hl7.org/fhir/R4/", claims, steps)


def a_run(server: Wrong, **known: str) -> Run:
    talking = Server(server.base)
    run = Run(talking, "run", driver.statement(talking))
    run.known |= known
    return run


def reason(said: Says, **expect: Any) -> str:
    """Returns what the check says about the answer `said` to a read."""
    with wrong(GET_Patient_1=said) as server:
        run = a_run(server, taro="1", hana="2")
        return run.check(requirement(Step("GET Patient/1", expect=expect))).reason


@pytest.mark.parametrize("said, expect, told", [
    (Says(500), {"status": 200}, "The status is 500, not 200."),
    (Says(400, OUTCOME), {"status": [200, 201]}, "The status is 400, not [200, 201]. It says: name is wrong"),
    (Says(200), {"status": "4xx"}, "The status is 200, not 4xx."),
    (Says(404), {"status": "4xx"}, ""),
    (Says(200, headers={"ETag": "1"}), {"headers": {"ETag": 'W/"\\d+"'}},
     'The header ETag is 1, which does not match W/"\\d+"'),
    (Says(200), {"headers": {"ETag": ".*"}}, "There is no header ETag."),
    (Says(200, headers={"Age": "1"}), {"headers": {"Age": False}}, "There is a header Age: 1."),
    (Says(200, headers={"ETag": 'W/"1"'}), {"headers": {"ETag": 'W/"\\d+"', "Age": False}}, ""),
    (Says(200, PATIENT), {"have": {"birthDate": "1970"}}, "birthDate is ['1970-03-05'], not 1970."),
    (Says(200, PATIENT), {"have": {"Patient.name.family": ["ヤマダ", "山田"]}},
     "Patient.name.family is ['山田', 'ヤマダ'], not ['ヤマダ', '山田']."),
    (Says(200, PATIENT), {"have": {"birthDate": "1970-03-05", "gender": []}}, ""),
    (Says(200, PATIENT), {"true": ["gender.exists()"]}, "gender.exists() is not true."),
    (Says(200, PATIENT), {"true": ["name.count() = 2"]}, ""),
    (Says(400, PATIENT), {"status": 400, "issue": {}}, "The answer is no OperationOutcome."),
    (Says(400, OUTCOME), {"status": 400, "issue": {"code": "not-found"}},
     "The issue has the code ['invalid'], not not-found."),
    (Says(400, OUTCOME), {"status": 400, "issue": {"names": "gender"}},
     "The issue does not name 'gender': it says ['name is wrong']."),
    (Says(400, OUTCOME), {"status": 400, "issue": {"code": "invalid|value", "names": "name"}}, ""),
    (Says(200, bundle("1")), {"found": ["taro", "hana"]}, "Not found: hana."),
    (Says(200, bundle("1", "2", "9")), {"found": ["taro"]}, "Found and should not be, or twice: Patient/9, hana."),
    (Says(200, bundle("1", "1")), {"found": ["taro"]}, "Found and should not be, or twice: taro."),
    (Says(200, bundle("2", "1")), {"found": ["taro", "hana"]}, ""),
    (Says(200, bundle("1")), {"finds": ["hana"]}, "Not found: hana."),
    (Says(200, bundle("1", "2")), {"finds": ["hana"]}, ""),
    (Says(200, bundle("1")), {"included": ["taro"]}, "Not included: taro."),
    (Says(200, bundle("1", mode="include")), {"included": ["taro"], "found": []}, ""),
    (Says(200, bundle("2", "1")), {"order": ["taro", "hana"]}, "The order is hana, taro, not taro, hana."),
    (Says(200, bundle("1", "2")), {"order": ["taro", "hana"]}, ""),
    (Says(200, bundle("1", "2")), {"pages": 1}, "The pages have [2] matches, not 1 each."),
    (Says(200, PATIENT), {"text": ["birthDate", "gender"]}, "Nothing in the body matches gender"),
    (Says(200, PATIENT), {"no_text": "birth"}, "The body has something that matches birth"),
    (Says(200, PATIENT), {"text": '"1970', "no_text": "gender"}, ""),
    (Says(200, b"{}"), {"empty": True}, "The body has 2 bytes."),
    (Says(200), {"empty": False}, "The body has 0 bytes."),
    (Says(200), {"empty": True}, ""),
    (Says(200, PATIENT), {"encoding": "gzip"}, "There is no header Content-Encoding. The body is not gzip."),
    (Says(200, gzip.compress(b"{}"), {"Content-Encoding": "gzip"}), {"encoding": "gzip", "text": "{}"}, ""),
    (Says(200, b"<Patient"), {"xml": {"f:id": "1"}}, "The body is no XML: unclosed token: line 1, column 0."),
    (Says(200, b'<Patient xmlns="http://hl7.org/fhir"><id value="2"/></Patient>'), {"xml": {"f:id": "1"}},
     "f:id is ['2'], not 1."),
    (Says(200, b'<Patient xmlns="http://hl7.org/fhir"><id value="1"/></Patient>'), {"xml": {"f:id": "1"}}, ""),
    (Says(200), {"statuses": {"201": 1}}, "0 of 1 answers have the status 201, not 1."),
    (Says(200), {"statuses": {"200": 1}}, ""),
])
def test_a_wrong_answer_is_told(said: Says, expect: dict[str, Any], told: str) -> None:
    assert reason(said, **expect) == told


def test_every_expectation_has_a_row_where_it_fails() -> None:
    rows = test_a_wrong_answer_is_told.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {name for _, expect, told in rows for name in list(expect)[-1:] if told} == set(EXPECTATIONS)


def test_after_a_wrong_status_nothing_else_is_told() -> None:
    assert reason(Says(500), status=200, text="x", found=["taro"]) == "The status is 500, not 200."


def test_pages_are_followed_and_counted_together() -> None:
    link = [{"relation": "next", "url": "BASE/Patient/2"}]
    with wrong(GET_Patient_1=Says(200, bundle("1", link=link)), GET_Patient_2=Says(200, bundle("2"))) as server:
        run = a_run(server, taro="1", hana="2")
        checked = run.check(requirement(Step("GET Patient/1", expect={"pages": 1, "order": ["taro", "hana"]})))
        once = run.check(requirement(Step("GET Patient/1", expect={"pages": 1, "found": ["taro"]})))
    assert (checked.outcome, len(checked.exchanges)) == (PASSED, 2)
    assert once.reason == "Found and should not be, or twice: hana."


def test_a_next_link_that_leads_to_itself_ends() -> None:
    link = [{"relation": "next", "url": "BASE/Patient/1"}]
    step = Step("GET Patient/1", expect={"pages": 1, "found": ["taro"]})
    with wrong(GET_Patient_1=Says(200, bundle("1", link=link))) as server:
        result = a_run(server, taro="1").check(requirement(step))
    assert result.reason == "Found and should not be, or twice: taro."
    assert len(result.exchanges) == driver.PAGES_LIMIT + 1


def test_requests_sent_at_once_are_all_looked_at() -> None:
    with wrong(POST_Patient=[Says(201), Says(201), Says(200)]) as server:
        step = Step("POST Patient", resource='{"resourceType": "Patient"}', times=8,
                    expect={"status": [200, 201], "statuses": {"201": 1}})
        assert a_run(server).check(requirement(step)).reason == "2 of 8 answers have the status 201, not 1."


def test_what_takes_its_time_is_asked_again() -> None:
    with wrong(GET_Patient_1=[Says(503), Says(200, PATIENT)]) as server:
        asked = requirement(Step("GET Patient/1", within=30, expect={"status": 200}))
        result = a_run(server).check(asked)
    assert (result.outcome, server.asked[1:]) == (PASSED, ["GET /Patient/1", "GET /Patient/1"])


def test_what_a_step_saves_the_next_one_uses() -> None:
    with wrong(GET_Patient_1=Says(200, PATIENT, {"ETag": 'W/"3"'}), GET_Patient_3=Says(200, PATIENT)) as server:
        steps = (Step("GET Patient/1", save={"day": "birthDate", "tag": "header:ETag", "none": "gender"}),
                 Step("GET Patient/3", headers={"If-None-Match": "{{tag}}"},
                      expect={"have": {"birthDate": "{{day}}", "id": "x"}}))
        result = a_run(server).check(requirement(*steps))
        assert result.reason == "Step 2: id is ['1'], not x."
        assert server.headers[-1]["If-None-Match"] == 'W/"3"'


UNCLAIMED = "the CapabilityStatement does not claim Patient.patch"


@pytest.mark.parametrize("level, claims, status, strict, outcome, why", [
    ("SHALL", ("Patient.read",), 200, False, PASSED, ""),
    ("SHALL", ("Patient.patch",), 200, False, NOT_CLAIMED, UNCLAIMED),
    ("SHALL", ("Patient.patch",), 200, True, FAILED, f"Not claimed: {UNCLAIMED}"),
    ("MAY", (), 501, False, NOT_CLAIMED, "the server refuses it with 501"),
    ("MAY", (), 501, True, FAILED, "Not claimed: the server refuses it with 501"),
    ("MAY", (), 500, False, FAILED, "The status is 500, not 200."),
    ("SHOULD", (), 501, False, FAILED, "The status is 501, not 200."),
])
def test_what_is_not_claimed_has_not_failed(
        level: str, claims: tuple[str, ...], status: int, strict: bool, outcome: str, why: str) -> None:
    with wrong(GET_Patient_1=Says(status)) as server:
        asked = requirement(Step("GET Patient/1", expect={"status": 200}), level=level, claims=claims)
        result = a_run(server).check(asked, strict)
    assert (result.outcome, result.reason) == (outcome, why)


def test_a_server_that_breaks_off_is_told() -> None:
    said = Says(200, b"no gzip", {"Content-Encoding": "gzip"})
    assert reason(said, status=200).startswith("The answer says gzip and is none")


def test_without_tag_what_others_have_stored_does_not_count() -> None:
    bare = {**STATEMENT, "rest": []}
    with wrong(GET_metadata=Says(200, bare), GET_Patient_1=Says(200, bundle("1", "elsewhere"))) as server:
        run = a_run(server, taro="1")
        assert run.known["scope"] == ""
        assert run.check(requirement(Step("GET Patient/1{{scope}}", expect={"found": ["taro"]}))).outcome == PASSED


def test_a_step_that_needs_what_could_not_be_made_fails_by_name() -> None:
    with wrong() as server:
        result = a_run(server).check(replace(requirement(Step("GET Patient/{{taro}}"))))
    assert (result.outcome, result.reason) == (FAILED, "taro is not there: it could not be made.")
