"""`kakehashi serve` as a person starts it: everything comes up, is found, is seen, stops, and comes back."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.process import Serve, kakehashi, wait_for

MESSAGE = (
    "MSH|^~\\&|HIS|TEST-HP|K|R|20260401090000+0900||ADT^A04^ADT_A01|T-1|P|2.5||||||UNICODE UTF-8\r"
    "EVN|A04|20260401090000\r"
    "PID|1||8800000001^^^^PI||試験^太郎^^^^^L^I||19550117|M\r"
    "PV1|1|O\r"
).encode()
# The second drug has neither a code nor a name.
FAULTY = (
    "MSH|^~\\&|HIS|TEST-HP|K|R|20260401100000+0900||RDE^O11^RDE_O11|T-2|P|2.5||||||UNICODE UTF-8\r"
    "PID|1||8800000001^^^^PI||試験^太郎^^^^^L^I||19550117|M\r"
    "PV1|1|O\r"
    "ORC|NW|1||1_01_001|||||20260401100000\r"
    "RXE||999000301^架空アトルバ錠^HOT9|1||TAB^錠^MR9P|||||14|TAB^錠^MR9P\r"
    "TQ1|1||1011040000000000&１日１回夕食後&JAMISDP01|||14^d|20260401\r"
    "RXR|PO^口^HL70162\r"
    "ORC|NW|1||1_01_002|||||20260401100000\r"
    "RXE||^^<script>alert(1)</script>|1||TAB^錠^MR9P|||||14|TAB^錠^MR9P\r"
    "TQ1|1||1011040000000000&１日１回夕食後&JAMISDP01|||14^d|20260401\r"
    "RXR|PO^口^HL70162\r"
).encode()


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A demonstration, open, with one more resident and one faulty message."""
    one = Serve(tmp_path_factory.mktemp("serve"), ("--demo", "--open"))
    with one.running():
        assert b"MSA|AA|T-1" in one.send(MESSAGE)
        assert b"MSA|AA|T-2" in one.send(FAULTY)
        wait_for(lambda: total(one, "Patient?identifier=8800000001") == 1, "the resident")
        wait_for(lambda: total(one, "CarePlan") == 1, "the region")
        wait_for(lambda: "RXE[2]-2" in one.get("/").text, "the faulty message")
        yield one


def total(serve: Serve, search: str) -> int:
    """Returns how many resources match."""
    asked = f"/fhir/{search}{'&' if '?' in search else '?'}_total=accurate&_count=1"
    return int(serve.get(asked).json()["total"])


def test_the_summary_says_what_to_open_and_what_to_mind(serve: Serve) -> None:
    for words in (serve.page, f"127.0.0.1:{serve.mllp_port}", "trial database", "WARNING: --open", "Ctrl-C"):
        assert words in serve.said


def test_every_part_is_ready(serve: Serve) -> None:
    assert serve.get("/health/live").json() == {"alive": True}
    assert serve.get("/health/ready").json() == {"database": True, "mllp": True, "worker": True}
    assert len(serve.processes("fhir_server.cli worker")) == 2
    assert "worker 2" in serve.get("/").text


def test_one_demonstration_resident_has_all_five_types(serve: Serve) -> None:
    [entry] = serve.get("/fhir/Patient?identifier=0000000001").json()["entry"]
    patient = entry["resource"]["id"]
    for search in ("Observation", "MedicationRequest", "Consent", "CarePlan"):
        wait_for(lambda: total(serve, f"{search}?patient={patient}") > 0, search)


def test_everything_the_demonstration_stores_is_labelled(serve: Serve) -> None:
    label = "http://terminology.hl7.org/CodeSystem/v3-ActReason|HTEST"
    for type_ in ("Patient", "Observation", "Consent"):
        assert total(serve, f"{type_}?_security={label}") > 0
        assert total(serve, f"{type_}?_security:not={label}") == 0


def test_the_storage_in_the_drop_folder_is_read(serve: Serve) -> None:
    wait_for(lambda: total(serve, "Patient?identifier=0000000003") == 1, "the patient of the SS-MIX2 storage")


def test_a_web_page_elsewhere_reaches_nothing(serve: Serve) -> None:
    assert serve.get("/fhir/Patient", Host="evil.example").status_code == 403
    assert serve.get("/fhir/Patient", Origin="http://evil.example").status_code == 403
    assert serve.get("/", Host="evil.example").status_code == 403


def test_the_command_shows_the_state(serve: Serve) -> None:
    code, said = kakehashi("status", "--data-dir", str(serve.data), cwd=serve.folder)
    assert code == 0, said
    assert re.search(r"│ Patient +│ +[\d,]+ +│", said)
    assert re.search(r"│ mllp +│", said)
    assert "RXE[2]-2" in said and "T-2" in said


def test_a_demonstration_and_real_data_never_meet(serve: Serve) -> None:
    other = Serve(serve.folder, ())
    code, said = kakehashi("serve", "--data-dir", str(serve.data), *ports(other), cwd=serve.folder)
    assert code == 1
    assert "The database holds a demonstration." in said and "Traceback" not in said


def test_the_page_of_a_quarantined_message_shows_its_text_as_text_with_the_field_marked(serve: Serve) -> None:
    [place] = re.findall(r'<a href="(/messages/\w+)"><code>T-2</code></a>', serve.get("/").text)
    page = serve.get(place)
    assert page.status_code == 200
    assert "<mark>^^&lt;script&gt;alert(1)&lt;/script&gt;</mark>|1||TAB^錠^MR9P" in page.text
    assert "There is no drug." in page.text and "試験^太郎" in page.text
    assert serve.get("/messages/unknown").status_code == 404


def test_the_pages_bring_nothing_from_elsewhere_and_run_nothing(serve: Serve) -> None:
    page = serve.get("/")
    assert page.headers["Content-Security-Policy"] == (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert re.findall(r'(?:src|href)="([^"]*)"', page.text.partition("<main>")[0]) == ["/style.css"]
    assert "<script" not in page.text


def test_the_log_shows_no_person(serve: Serve) -> None:
    log = serve.said.partition("Ctrl-C stops everything.")[2]
    assert not [word for word in ("8800000001", "試験", "太郎", "alert(1)", "identifier=") if word in log]


def test_what_was_stored_is_there_after_a_stop_and_a_start(tmp_path: Path) -> None:
    serve = Serve(tmp_path, ("--open",))
    with serve.running() as process:
        assert b"MSA|AA|T-1" in serve.send(MESSAGE)
        wait_for(lambda: total(serve, "Patient?identifier=8800000001") == 1, "the resident")
    assert process.returncode == 0
    assert not serve.processes()
    code, said = kakehashi("serve", "--demo", "--data-dir", str(serve.data), *ports(serve), cwd=tmp_path)
    assert code == 1
    assert "The database holds no demonstration." in said and "Traceback" not in said
    with serve.running():
        assert total(serve, "Patient?identifier=8800000001") == 1
        assert b"MSA|AA|T-1" in serve.send(MESSAGE)
        [entry] = serve.get("/fhir/Patient?identifier=8800000001").json()["entry"]
        assert entry["resource"]["meta"]["versionId"] == "1"


def test_a_killed_server_leaves_no_process_and_the_next_start_takes_over(tmp_path: Path) -> None:
    serve = Serve(tmp_path, ("--open",))
    with serve.running() as process:
        assert b"MSA|AA|T-1" in serve.send(MESSAGE)
        process.kill()
        wait_for(lambda: not serve.processes(), "the end of every part")
    with serve.running():
        wait_for(lambda: total(serve, "Patient?identifier=8800000001") == 1, "the resident")


def test_killed_parts_come_back(tmp_path: Path) -> None:
    serve = Serve(tmp_path, ("--open",))
    with serve.running():
        assert b"MSA|AA|T-1" in serve.send(MESSAGE)
        for pid in serve.processes("fhir_server.cli worker", "mongod"):
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: answers(serve), "a ready server")
        wait_for(lambda: total(serve, "Patient?identifier=8800000001") == 1, "the resident")


def test_a_killed_listener_comes_back(tmp_path: Path) -> None:
    serve = Serve(tmp_path, ("--open",))
    with serve.running():
        [listener] = serve.processes("fhir_server.cli mllp")
        os.kill(listener, signal.SIGKILL)
        wait_for(lambda: listener not in serve.processes() and answers(serve), "a ready server")


def answers(serve: Serve) -> bool:
    try:
        serve.send(MESSAGE)
        return serve.get("/health/ready").status_code == 200
    except (OSError, requests.RequestException):
        return False


def ports(serve: Serve) -> tuple[str, ...]:
    return ("--port", str(serve.port), "--mllp-port", str(serve.mllp_port))
