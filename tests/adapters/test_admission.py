from datetime import UTC, datetime, timedelta

from adapters.admission import REMEMBERED, Admission, Admitted, admit, provisional, release
from adapters.facility import Facility
from fhir_server.store.journal import Message

NOW = datetime(2024, 6, 3, tzinfo=UTC)


def test_a_confirmed_facility_is_admitted_with_its_character_set(store):
    store.facilities.add("1119999991", "見本病院", ("MINAMI",), charset="shift_jis")
    facility = Facility("1119999991", "見本病院", ("MINAMI",), True, "shift_jis")
    for admission in (Admission(store.facilities, open=False), Admission(store.facilities, open=True)):
        assert admission.of_sender("MINAMI", NOW) == admission.of_number("1119999991", NOW) == Admitted(facility)


def test_an_unknown_sender_is_unconfirmed_when_open_and_held_otherwise(store):
    number = provisional("KITA", store.facilities)
    held = Admission(store.facilities, open=False).of_sender("KITA", NOW)
    assert (held.facility.number, held.held) == (number, "No facility of the table sends under this MSH-4.")
    assert store.facilities.all() == []
    let_in = Admission(store.facilities, open=True).of_sender("KITA", NOW)
    assert let_in == Admitted(Facility(number, "KITA", ("KITA",), confirmed=False))
    assert Admission(store.facilities, open=False).of_sender("KITA", NOW).held == "The facility is not confirmed."


def test_an_unknown_folder_likewise(store):
    assert Admission(store.facilities, open=False).of_number("1319999999", NOW).held
    assert Admission(store.facilities, open=True).of_number("1319999999", NOW) == Admitted(
        Facility("1319999999", "1319999999", (), confirmed=False))


def test_a_sender_without_a_name_is_never_let_in(store):
    assert Admission(store.facilities, open=True).of_sender("", NOW).held


def test_provisional_numbers_are_ten_digits_of_no_prefecture_and_never_anothers(store):
    number = provisional("KITA", store.facilities)
    assert (len(number), number[:2], number.isdigit()) == (10, "00", True)
    store.facilities.add(number, "another", ("OTHER",), confirmed=False)
    assert provisional("KITA", store.facilities) not in (number, provisional("OTHER", store.facilities))


def test_a_change_is_seen_after_a_moment(store):
    admission = Admission(store.facilities, open=False)
    assert admission.of_sender("KITA", NOW).held
    admit(store, "1119999992", "北病院", ("KITA",))
    assert admission.of_sender("KITA", NOW).held
    assert admission.of_sender("KITA", NOW + REMEMBERED + timedelta(seconds=1)).held == ""


def test_entering_a_facility_lets_its_held_messages_go(store):
    number = provisional("KITA", store.facilities)
    store.journal.receive([Message("mllp", number, "C1", b"MSH", "x", NOW, held="unknown")])
    admit(store, "1119999992", "北病院", ("KITA",))
    assert [(one.state, one.number) for one in store.journal.counts()] == [("received", 1)]


def test_what_arrives_as_held_just_after_the_facility_was_entered_is_let_go(store):
    """The listener remembers for a moment that nobody knew the sender."""
    number = provisional("KITA", store.facilities)
    admit(store, "1119999992", "北病院", ("KITA",))
    store.facilities.add("1119999993", "東病院", ("HIGASHI",), confirmed=False)
    store.journal.receive([
        Message("mllp", number, "C1", b"MSH", "x", NOW, held="unknown"),
        Message("ssmix2", "1119999992", "F1", b"MSH", "x", NOW, held="unknown"),
        Message("mllp", "1119999993", "C2", b"MSH", "y", NOW, held="unconfirmed")])
    assert [release(store), release(store)] == [2, 0]
    assert [(one.feed, one.state, one.number) for one in store.journal.counts()] == [
        ("mllp", "held", 1), ("mllp", "received", 1), ("ssmix2", "received", 1)]
