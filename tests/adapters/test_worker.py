import threading
from datetime import datetime

import pytest

from adapters.admission import Admission, admit, provisional, release
from adapters.facility import JST, Facility
from adapters.hl7v2.ack import header
from adapters.worker import FEEDS, Worker, _records, run
from fhir_server.store.journal import Entry, Message
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


def test_a_worker_lets_go_what_was_held_after_its_facility_was_entered(context, store):
    admit(store, "1119999991", "見本病院", ("MINAMI-HP",))
    held = provisional("MINAMI-HP", store.facilities)
    raw = message("ADT_A08_iso2022jp")
    store.journal.receive([Message("mllp", held, "C1", raw, held, context.now(), held="unknown")])
    stop = threading.Event()
    thread = threading.Thread(target=run, args=(context, stop))
    thread.start()
    while [one.state for one in store.journal.counts()] != ["done"]:
        stop.wait(0.02)
    stop.set()
    thread.join()
    assert store.counts()["Patient"] == 1


def test_who_is_no_longer_admitted_is_held_until_he_is_again(context, store):
    raw = message("ADT_A08_iso2022jp")
    admit(store, "1119999991", "見本病院", ("MINAMI-HP",))
    store.journal.receive([Message("mllp", "1119999991", "C1", raw, "x", context.now())])
    store.facilities.add("1119999991", "見本病院", ("ANOTHER",))
    worker, stop = Worker(context, Admission(store.facilities, open=False)), threading.Event()
    thread = threading.Thread(target=store.journal.work, args=("test", worker, stop))
    thread.start()
    while [one.state for one in store.journal.counts()] != ["held"]:
        stop.wait(0.02)
    [row] = store.journal.rows("held")
    assert (row.reason, row.place) == ("No facility of the table sends under this MSH-4.", "MSH-4")
    assert release(store) == 0
    worker.admission._known.clear()
    admit(store, "1119999992", "見本医院", ("MINAMI-HP",))
    while [one.state for one in store.journal.counts()] != ["done"]:
        stop.wait(0.02)
    stop.set()
    thread.join()
    assert store.counts()["Patient"] == 1


def test_a_message_from_the_future_keeps_out_nothing_that_comes_after_it(work, fhir):
    raw = message("ADT_A08_iso2022jp")
    work(raw.replace(b"20240603", b"20620603"))
    work(raw.replace(b"20240603101500||", b"20260401181000||").replace(b"19550117", b"19550118"))
    [entry] = fhir.get("Patient?family=見本").json()["entry"]
    assert entry["resource"]["birthDate"] == "1955-01-18"


ARRIVED = datetime(2024, 6, 3, 10, 15, tzinfo=JST)


@pytest.mark.parametrize("feed, control, place", [
    ("mllp", "C1", "MSH-7"),
    ("ssmix2", "0004417733_-_ADT-00_999999999999999_20240603101500000_-_1", "file name"),
])
@pytest.mark.parametrize("day, believed", [(b"20240604", True), (b"20240605", False)])
def test_a_time_more_than_a_day_ahead_is_that_of_the_arrival_and_is_noted(feed, control, place, day, believed):
    raw = message("ADT_A08_iso2022jp").replace(b"20240603101500||", day + b"101500||")
    control = control.replace("20240603", day.decode())
    [record] = _records(Entry("1", feed, "1119999991", control, raw, "x", ARRIVED, 0), Facility("1119999991", "見本病院"))
    stated = datetime.strptime(f"{day.decode()}101500+0900", "%Y%m%d%H%M%S%z")
    assert record.time == (stated if believed else ARRIVED)
    noted = [(one.place, one.text) for one in record.notes if one.text.startswith("This is later")]
    assert noted == ([] if believed else [
        (place, "This is later than the message arrived, and counts as the time it arrived.")])


def test_every_feed_has_its_maps():
    from adapters.worker import _to_records

    assert all(callable(_to_records(feed)) for feed in FEEDS)
