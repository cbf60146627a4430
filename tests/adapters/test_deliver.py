from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from adapters.deliver import deliver
from adapters.facility import JST, Facility
from adapters.record import Entry, Note, Record, When
from fhir_server.fhirjson import decode
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
    version = store.get(type_, id_)
    return None if version is None or version.deleted else decode(version.raw)


def versions(store):
    found = [store.get(type_, id_) for type_, id_ in (("Patient", "p1"), ("Condition", "c1"), ("Condition", "c2"))]
    return [one and one.version for one in found]


def test_what_a_record_states_is_stored_with_its_source(send, store):
    send(record(PATIENT))
    version = store.get("Patient", "p1")
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
    assert (stored(store, "Condition", "c1"), versions(store)) == (None, [None, 2, 2])
    send(record(condition("c1"), condition("c2"), complete=True))
    assert stored(store, "Condition", "c1") is None


def test_a_withdrawn_record_takes_all_of_it_back_and_nothing_older_revives_it(send, store):
    send(record(Entry(PATIENT, When.ABSENT), condition("c1"), complete=True))
    send(record(condition("c1"), complete=True, withdrawn=True))
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
    assert (stored(store, "Encounter", "e1")["status"], store.get("Encounter", "e1").version) == ("finished", 2)


def test_what_validation_refuses_is_parked_with_the_element(send, store):
    with pytest.raises(Park) as parked:
        send(record({**PATIENT, "gender": "M"}))
    assert parked.value.place == "Patient/p1.gender"
    assert store.get("Patient", "p1") is None


def test_a_control_id_with_blanks_and_kanji_is_still_a_source(send, store):
    send(record(PATIENT, source="urn:hl7v2:1119999991:JA 0 番"))
    assert stored(store, "Patient", "p1")["meta"]["source"] == "urn:hl7v2:1119999991:JA%200%20%E7%95%AA"


def test_nothing_is_written_for_no_record(send, store):
    send()
    send(replace(record(), withdrawn=True))
    assert store.counts() == {}
