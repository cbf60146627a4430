import threading

import pytest

from adapters.admission import Admission, admit
from adapters.facility import Facility
from adapters.hl7v2.ack import header
from adapters.worker import FEEDS, Worker, run
from fhir_server.store.journal import Message
from tests.adapters.hl7v2.data import message


@pytest.fixture
def work(context, store):
    """Receives messages as the listener would, and works until nothing waits."""
    def worked(*raws):
        admission = Admission(store.facilities, open=True)
        for number, raw in enumerate(raws):
            sender = admission.of_sender(header(raw).sender, context.now()).facility.number
            store.journal.receive([Message("mllp", sender, f"C{number}", raw, sender, context.now())])
        stop = threading.Event()
        thread = threading.Thread(target=run, args=(context, stop))
        thread.start()
        while any(one.state == "received" for one in store.journal.counts()):
            stop.wait(0.02)
        stop.set()
        thread.join(10)

    return worked


def test_a_message_becomes_resources(work, fhir, store):
    work(message("ADT_A08_iso2022jp"))
    [entry] = fhir.get("Patient?family=見本").json()["entry"]
    assert entry["resource"]["birthDate"] == "1955-01-17"
    assert [(one.feed, one.state, one.number) for one in store.journal.counts()] == [("mllp", "done", 1)]


def test_thirty_results_are_found_and_come_twice_without_a_trace(work, fhir):
    raw = message("ORU_R01_30obx")
    work(raw, raw.replace(b"LIS-99120031", b"LIS-99120032"))
    bundle = fhir.get("Observation?_count=100&_total=accurate").json()
    assert bundle["total"] == 30
    assert {entry["resource"]["meta"]["versionId"] for entry in bundle["entry"]} == {"1"}


def test_what_cannot_be_mapped_is_parked_with_reason_and_place_and_the_rest_goes_on(work, store):
    good = message("ADT_A08_iso2022jp")
    work(good, message("ADT_A08_declared_ir87_but_utf8"), good.replace(b"PID|", b"ZZZ|"), good.replace(b"A08", b"A99"))
    parked = {(one.control, one.place) for one in store.journal.rows("parked")}
    assert parked == {("C1", "MSH-18"), ("C2", "PID"), ("C3", "MSH-9")}
    assert [one.control for one in store.journal.rows("done")] == ["C0"]


def test_what_was_held_under_a_provisional_number_belongs_to_the_facility_once_it_is_entered(context, store):
    raw = message("ADT_A08_iso2022jp")
    facility = admit(store, "1119999991", "見本病院", ("MINAMI-HP",))
    store.journal.receive([Message("mllp", "0012345678", "C1", raw, "x", context.now())])
    taken = []
    store.journal.work("test", lambda entries: taken.extend(entries) or stop.set(), stop := threading.Event())
    found = Worker(context, Admission(store.facilities, open=False))._facility(taken[0])
    assert found == Facility(facility.number, "見本病院", ("MINAMI-HP",))


def test_every_feed_has_its_maps():
    from adapters.worker import _to_records

    assert all(callable(_to_records(feed)) for feed in FEEDS)
