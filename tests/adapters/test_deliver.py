from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread, current_thread

import pytest

from adapters import deliver as deliver_module
from adapters.deliver import deliver
from adapters.facility import JST, Facility
from adapters.record import Entry, Note, Record, When
from fhir_server.fhirjson import decode
from fhir_server.store.access import UNRESTRICTED
from fhir_server.store.queue import Park

FACILITY = Facility("1119999991", "見本病院")
NOON = datetime(2024, 6, 3, 12, 0, 0, tzinfo=JST)
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "male"}


def condition(id_, text="cold"):
    return {"resourceType": "Condition", "id": id_, "subject": {"reference": "Patient/p1"}, "code": {"text": text}}


def record(*entries, minutes=0, source="urn:hl7v2:1119999991:1", **more):
    made = [one if isinstance(one, Entry) else Entry(one) for one in entries]
    return Record("1119999991/problems/p1", NOON + timedelta(minutes=minutes), made, source, **more)


@pytest.fixture
def send(context):
    def sent(*records):
        deliver(records, FACILITY, context)

    return sent


def stored(store, type_, id_):
    version = store.get(type_, id_, UNRESTRICTED)
    return None if version is None or version.deleted else decode(version.raw)


def versions(store):
    found = [store.get(type_, id_, UNRESTRICTED) for type_, id_ in (
        ("Patient", "p1"), ("Condition", "c1"), ("Condition", "c2"))]
    return [one and one.version for one in found]


def test_what_a_record_states_is_stored_with_its_source(send, store):
    send(record(PATIENT))
    version = store.get("Patient", "p1", UNRESTRICTED)
    assert decode(version.raw) == {
        "resourceType": "Patient", "id": "p1", "gender": "male",
        "meta": {"source": "urn:hl7v2:1119999991:1", "versionId": "1", "lastUpdated": "2026-04-01T09:00:00.000Z"}}
    assert version.source == "1119999991"


def test_provenance_names_targets_organization_source_and_notes(send, fhir):
    send(record(PATIENT, condition("c1"), notes=[Note("PV1-36", "a < b")]))
    [entry] = fhir.get("Provenance?target=Condition/c1").json()["entry"]
    found = {name: value for name, value in entry["resource"].items() if name not in ("id", "meta")}
    assert found == {
        "resourceType": "Provenance",
        "text": {"status": "additional", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>Not mapped:</p>'
                                                "<ul><li>PV1-36: a &lt; b</li></ul></div>"},
        "target": [{"reference": "Condition/c1"}, {"reference": "Patient/p1"}],
        "recorded": "2024-06-03T03:00:00.000Z",
        "agent": [{"who": found["agent"][0]["who"]}],
        "entity": [{"role": "source", "what": {"identifier": {
            "system": "urn:ietf:rfc:3986", "value": "urn:hl7v2:1119999991:1"}}}],
    }


def test_the_same_record_twice_changes_nothing(send, fhir):
    one = record(Entry(PATIENT, When.ABSENT), condition("c1"), notes=[Note("PV1-36", "x")])
    for _ in range(2):
        send(one)
    history = [fhir.get(f"{path}/_history").json()["total"] for path in ("Patient/p1", "Condition/c1")]
    [entry] = fhir.get("Provenance?target=Condition/c1").json()["entry"]
    assert (history, entry["resource"]["meta"]["versionId"]) == ([1, 1], "1")


def test_an_older_message_changes_nothing_that_a_newer_one_wrote(send, store):
    send(record(PATIENT, minutes=5))
    send(record({**PATIENT, "gender": "female"}, condition("c1"), minutes=0, source="urn:hl7v2:1119999991:0"))
    assert (stored(store, "Patient", "p1")["gender"], stored(store, "Condition", "c1")["code"]) == (
        "male", {"text": "cold"})


def test_a_stub_is_written_only_where_nothing_is(send, store):
    stub = Entry({**PATIENT, "gender": "unknown"}, When.ABSENT)
    send(record(stub, minutes=9))
    assert stored(store, "Patient", "p1")["gender"] == "unknown"
    send(record(PATIENT, minutes=1, source="urn:hl7v2:1119999991:2"))
    send(record(stub, minutes=9, source="urn:hl7v2:1119999991:3"))
    assert stored(store, "Patient", "p1")["gender"] == "male"


def test_a_complete_record_withdraws_what_it_no_longer_states(send, store):
    send(record(condition("c1"), condition("c2"), complete=True))
    send(record(condition("c2"), complete=True, minutes=1, source="urn:2"))
    assert (stored(store, "Condition", "c1"), versions(store)) == (None, [None, 2, 1])
    send(record(condition("c1"), condition("c2"), complete=True))
    assert stored(store, "Condition", "c1") is None


def test_a_withdrawn_record_takes_all_of_it_back_and_nothing_older_revives_it(send, store):
    send(record(Entry(PATIENT, When.ABSENT), condition("c1"), complete=True))
    send(record(complete=True, withdrawn=True))
    assert (stored(store, "Condition", "c1"), stored(store, "Patient", "p1")["gender"]) == (None, "male")
    send(record(condition("c1"), complete=True))
    assert stored(store, "Condition", "c1") is None
    send(record(condition("c1"), complete=True, minutes=1, source="urn:3"))
    assert stored(store, "Condition", "c1") is not None


def test_records_together_come_to_the_same_as_one_by_one(send, store):
    send(
        record(Entry(PATIENT, When.ABSENT), condition("c1"), condition("c2"), complete=True),
        record(PATIENT, condition("c2", "flu"), complete=True, minutes=1, source="urn:2"),
        record(condition("c1"), complete=True, minutes=-1, source="urn:0"))
    assert (stored(store, "Condition", "c1"), stored(store, "Condition", "c2")["code"]) == (None, {"text": "flu"})
    assert versions(store) == [1, None, 1]


def test_several_messages_make_one_encounter_and_none_of_them_counts_twice(send, store):
    begun = {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "class": {"code": "IMP"},
             "period": {"start": "2024-06-01T09:00:00+09:00"}}
    ended = {**begun, "status": "finished", "period": {**begun["period"], "end": "2024-06-03T09:00:00+09:00"}}
    first = record(Entry(begun, When.MERGED), source="urn:0")
    last = record(Entry(ended, When.MERGED), minutes=1, source="urn:1")
    for one in (first, last, first, last):
        send(one)
    assert stored(store, "Encounter", "e1")["status"] == "finished"
    assert store.get("Encounter", "e1", UNRESTRICTED).version == 2


def test_what_validation_refuses_is_parked_with_the_element(send, store):
    with pytest.raises(Park) as parked:
        send(record({**PATIENT, "gender": "M"}))
    assert parked.value.place == "Patient/p1.gender"
    assert store.get("Patient", "p1", UNRESTRICTED) is None


def test_a_control_id_with_blanks_and_kanji_is_still_a_source(send, store):
    send(record(PATIENT, source="urn:hl7v2:1119999991:JA 0 番"))
    assert stored(store, "Patient", "p1")["meta"]["source"] == "urn:hl7v2:1119999991:JA%200%20%E7%95%AA"


def test_nothing_is_written_for_no_record(send, store):
    send()
    send(replace(record(), withdrawn=True))
    assert store.counts() == {}


def result(id_, text="1"):
    resource = {"resourceType": "Observation", "id": id_, "status": "final", "code": {"text": "x"}, "valueString": text}
    return Entry(resource, When.MERGED)


def of(key, *entries, minutes=0, source="urn:ssmix2:1119999991:f", **more):
    return replace(record(*entries, minutes=minutes, source=source, **more), key=key)


def there(store, *ids, type_="Observation"):
    return [stored(store, type_, id_) is not None for id_ in ids]


def test_a_record_owns_what_it_states_even_where_a_message_had_written_the_same(send, store):
    send(of("message", result("o1"), source="urn:hl7v2:1119999991:1"))
    send(of("file", result("o1"), complete=True))
    send(of("file", complete=True, withdrawn=True, minutes=1, source="urn:ssmix2:1119999991:g"))
    assert there(store, "o1") == [False]


def test_a_deleted_file_takes_along_what_a_message_had_corrected(send, store):
    send(of("file", result("o1"), complete=True))
    send(of("message", result("o1", "2"), minutes=1, source="urn:hl7v2:1119999991:1"))
    send(of("file", complete=True, withdrawn=True, minutes=2, source="urn:ssmix2:1119999991:g"))
    assert there(store, "o1") == [False]


def test_what_two_files_state_stays_until_the_last_is_gone(send, store):
    send(of("monday", condition("c1"), complete=True), of("tuesday", condition("c1"), complete=True))
    send(of("monday", complete=True, withdrawn=True, minutes=1, source="urn:ssmix2:1119999991:g"))
    assert there(store, "c1", type_="Condition") == [True]
    send(of("tuesday", complete=True, withdrawn=True, minutes=2, source="urn:ssmix2:1119999991:h"))
    assert there(store, "c1", type_="Condition") == [False]


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (2, 0, 1)])
def test_an_order_that_moved_to_another_day_stands_whichever_file_is_read_first(send, store, order):
    files = [
        of("monday", condition("c1"), complete=True),
        of("monday", complete=True, withdrawn=True, minutes=9, source="urn:ssmix2:1119999991:g"),
        of("tuesday", condition("c1"), complete=True, minutes=9, source="urn:ssmix2:1119999991:h"),
    ]
    for number in order:
        send(files[number])
    assert there(store, "c1", type_="Condition") == [True]


def test_a_record_that_only_adds_to_a_stay_withdraws_nothing_of_it(send, store):
    stay = {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "class": {"code": "IMP"}}
    send(of("patient file", PATIENT, Entry(stay, When.MERGED, owned=False), complete=True))
    send(of("patient file", PATIENT, complete=True, minutes=1, source="urn:ssmix2:1119999991:g"))
    assert there(store, "e1", type_="Encounter") == [True]


def test_a_late_message_does_not_make_a_file_older(send, store):
    send(of("order", condition("c1"), condition("new"), complete=True, minutes=30))
    send(of("order", condition("c1"), minutes=10, source="urn:hl7v2:1119999991:late"))
    send(of("order", condition("c1"), condition("old"), complete=True, minutes=20, source="urn:ssmix2:1119999991:late"))
    assert there(store, "new", "old", type_="Condition") == [True, False]


def test_a_report_names_no_result_that_was_withdrawn(send, store):
    def report(*ids):
        results = [{"reference": f"Observation/{one}"} for one in ids]
        return Entry({"resourceType": "DiagnosticReport", "id": "r1", "status": "final", "code": {"text": "x"},
                      "result": results}, When.MERGED)

    send(of("file", result("o1"), result("o2"), report("o1", "o2"), complete=True))
    send(of("file", result("o2"), report("o2"), complete=True, minutes=1, source="urn:ssmix2:1119999991:g"))
    assert stored(store, "DiagnosticReport", "r1")["result"] == [{"reference": "Observation/o2"}]


def test_equal_content_from_another_message_makes_no_new_version(send, store):
    for number in range(3):
        send(record(PATIENT, condition("c1"), minutes=number, source=f"urn:hl7v2:1119999991:{number}"))
    assert versions(store) == [1, 1, None]


def test_a_decision_that_was_overtaken_is_made_again(context, store, monkeypatch):
    """The older message stands still between its look and its write, until the newer one is through."""
    reached, gate, through = Event(), Event(), deliver_module.transact

    def slow(*given):
        if current_thread().name == "older" and not gate.is_set():
            reached.set()
            gate.wait(10)
        return through(*given)

    monkeypatch.setattr(deliver_module, "transact", slow)
    older = Thread(target=deliver, args=([record(PATIENT)], FACILITY, context), name="older")
    older.start()
    assert reached.wait(10)
    newer = record({**PATIENT, "gender": "female"}, minutes=5, source="urn:hl7v2:1119999991:2")
    deliver([newer], FACILITY, context)
    gate.set()
    older.join()
    assert stored(store, "Patient", "p1")["gender"] == "female"
