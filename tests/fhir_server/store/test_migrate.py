"""The database of an earlier release is brought up to date when it is opened."""

from fhir_server.store.document import Write
from fhir_server.store.past import Asked
from fhir_server.store.plan import Plan
from fhir_server.store.store import FORMAT, Store
from tests.fhir_server.store.versions import patient, tombstone

LABEL = "_lab=http://x|HTEST"


def test_versions_of_format_1_get_access_keys_and_an_index_by_time(store: Store) -> None:
    store.write([Write(None, patient(1)), Write(None, patient(1, "p2")), Write(None, patient(1, "p3", source=""))])
    store.write([Write(patient(1), patient(2))])
    store.write([Write(patient(1, "p2"), tombstone(2, "p2"))])
    database = store._database
    for rows in ("Patient", "Patient_history"):
        database[rows].update_many({}, {"$unset": {"ac": ""}, "$pull": {"ix": LABEL}})
    database["Patient_history"].drop_indexes()
    database["format"].update_one({"_id": "format"}, {"$set": {"number": 1}})
    store._collections._made.clear()
    store.prepare()
    found = store.history(Asked([LABEL, "_src=1310000001"], ["Patient"])).versions
    assert [(one.id, one.version) for one in found] == [("p2", 2), ("p1", 2), ("p2", 1), ("p1", 1)]
    assert [one.id for one in store.find(Plan("Patient", keys=[[LABEL]])).rows] == ["p1", "p3"]
    assert (database["format"].find_one() or {})["number"] == FORMAT
