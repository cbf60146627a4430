"""A search parameter of the network: written, built, searched; what is stored follows it, whoever else is at work."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from threading import Event, Thread
from typing import Any

import pytest
import requests
from click.testing import CliRunner

from fhir_server import reindex, status
from fhir_server.access.caller import OPEN
from fhir_server.context import Context
from fhir_server.definitions import registry
from fhir_server.parameters import Parameters
from fhir_server.reindex import Reindexer, outdated
from fhir_server.store.reindex import Progress
from fhir_server.store.store import Store
from fhir_server.transact import Update, transact
from tests.process import wait_for
from tests.server import Client, context_for, serving

NICKNAME: dict[str, Any] = {
    "resourceType": "SearchParameter", "id": "nickname", "url": "http://example.jp/fhir/SearchParameter/nickname",
    "name": "nickname", "description": "A name among friends", "status": "active", "code": "nickname",
    "base": ["Patient"], "type": "string", "expression": "Patient.name.where(use = 'nickname').given",
}


def patient(id_: str, *nicknames: str) -> dict[str, Any]:
    names = [{"use": "nickname", "given": [one]} for one in nicknames]
    return {"resourceType": "Patient", "id": id_, "name": [{"use": "official", "family": "山田"}, *names]}


class Clock:
    """Stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def context(context: Context) -> Context:
    """As a part of a server has it."""
    context.parameters.publish()
    return context


@pytest.fixture
def processes(store: Store) -> Callable[[], tuple[Context, Clock]]:
    """Makes the contexts of several processes on one database, each with a steady clock of its own."""
    def another() -> tuple[Context, Clock]:
        clock = Clock()
        made = replace(context_for(store), parameters=Parameters(store, registry.load(), clock))
        made.parameters.publish()
        return made, clock

    return another


def refusal(client: Client, search: str) -> tuple[int, str]:
    answer = client.get(search)
    return answer.status_code, answer.json()["issue"][0]["diagnostics"]


def build(context: Context) -> None:
    """Does all that a worker would do until nothing is left."""
    work = Reindexer(context, settle=0.0, sweep=0.0, pause=0.0)
    work.step()
    while outdated(context):
        work.step()
    context.parameters.at_once()


def test_a_search_parameter_is_refused_while_it_is_built_and_then_finds_what_was_there_before(
    context: Context, fhir: Client
) -> None:
    for one in (patient("p1", "たろちゃん"), patient("p2"), patient("p3", "Taro", "Tabo")):
        fhir.send("PUT", "Patient/" + one["id"], one)
    assert fhir.send("PUT", "SearchParameter/nickname", NICKNAME).status_code == 201
    Reindexer(context, settle=60.0).step()
    assert refusal(fhir, "Patient?nickname=ta") == (
        400, "Patient.nickname is being built: it begins in some seconds.")
    assert status.building(context.store) == [status.Building("Patient", ["nickname"], None)]
    assert "nickname" in requests.get(fhir.base.removesuffix("/fhir"), timeout=30).text
    build(context)
    assert fhir.ids("Patient?nickname=ta&_sort=_id") == ["p3"]
    assert fhir.ids("Patient?nickname:exact=たろちゃん") == ["p1"]
    assert status.building(context.store) == []


def test_what_is_built_is_claimed_and_what_is_deleted_or_retired_is_gone(context: Context, fhir: Client) -> None:
    def claimed() -> list[str]:
        [found] = [one for one in fhir.get("metadata").json()["rest"][0]["resource"] if one["type"] == "Patient"]
        return [one["definition"] for one in found["searchParam"] if one["name"] == "nickname"]

    fhir.send("PUT", "Patient/p1", patient("p1", "Taro"))
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    build(context)
    assert (claimed(), fhir.ids("Patient?nickname=taro")) == ([NICKNAME["url"]], ["p1"])
    fhir.send("PUT", "SearchParameter/nickname", {**NICKNAME, "status": "retired"})
    build(context)
    assert (claimed(), refusal(fhir, "Patient?nickname=taro")) == (
        [], (400, "Patient has no search parameter nickname here."))
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    build(context)
    assert fhir.ids("Patient?nickname=taro") == ["p1"]
    fhir.send("DELETE", "SearchParameter/nickname")
    build(context)
    assert refusal(fhir, "Patient?nickname=taro") == (400, "Patient has no search parameter nickname here.")


def test_a_changed_expression_is_built_anew_and_the_standard_stays_answerable(context: Context, fhir: Client) -> None:
    fhir.send("PUT", "Patient/p1", patient("p1", "Taro"))
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    build(context)
    fhir.send("PUT", "SearchParameter/nickname", {**NICKNAME, "expression": "Patient.name.family"})
    Reindexer(context, settle=60.0).step()
    assert refusal(fhir, "Patient?nickname=taro")[0] == 400
    assert fhir.ids("Patient?family=山田") == ["p1"]
    build(context)
    # Now where the standard's `family` is stored.
    assert (fhir.ids("Patient?nickname=taro"), fhir.ids("Patient?nickname=山田")) == ([], ["p1"])


def test_what_cannot_work_is_not_stored(fhir: Client) -> None:
    answer = fhir.send("POST", "SearchParameter", {**NICKNAME, "code": "family"})
    [issue] = answer.json()["issue"]
    assert (answer.status_code, issue["diagnostics"], issue["expression"]) == (
        422, "family is a search parameter of Patient by the standard.", ["SearchParameter.code"])
    assert fhir.ids("SearchParameter") == []


def test_only_search_values_are_renewed(context: Context, store: Store, fhir: Client) -> None:
    fhir.send("PUT", "Patient/p1", patient("p1", "Jiro"))
    fhir.send("PUT", "Patient/p1", patient("p1", "Taro"))
    before = fhir.get("Patient/p1/_history").json()["entry"]
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    build(context)
    assert fhir.get("Patient/p1/_history").json()["entry"] == before
    assert fhir.ids("Patient?nickname=jiro") == []


def test_a_tombstone_is_nothing_to_index(context: Context, fhir: Client) -> None:
    fhir.send("PUT", "Patient/p1", patient("p1", "Taro"))
    fhir.send("DELETE", "Patient/p1")
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    build(context)
    assert fhir.ids("Patient?nickname=taro") == []
    assert fhir.get("Patient/p1").status_code == 410


def test_updates_meanwhile_are_never_lost(context: Context, store: Store, fhir: Client) -> None:
    for number in range(60):
        fhir.send("PUT", f"Patient/p{number}", patient(f"p{number}", "old"))
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    writing = Thread(target=lambda: [fhir.send("PUT", f"Patient/p{number}", patient(f"p{number}", f"new{number}"))
                                     for number in range(60)])
    writing.start()
    for _ in range(5):
        store.reindex.forget("Patient")
        build(context)
    writing.join()
    build(context)
    assert fhir.ids("Patient?nickname=old") == []
    for number in range(60):
        assert fhir.ids(f"Patient?nickname:exact=new{number}") == [f"p{number}"]


def test_what_a_killed_one_left_another_goes_on_with(
    context: Context, store: Store, fhir: Client, mongodb_uri: str
) -> None:
    for start in range(0, 3000, 500):
        transact([Update(patient(f"p{number}", "Taro")) for number in range(start, start + 500)], context, OPEN)
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    environment = {**os.environ, "MONGODB_URI": mongodb_uri, "KAKEHASHI_DATABASE": "test"}
    killed = subprocess.Popen([sys.executable, "-m", "fhir_server.cli", "reindex"], env=environment, stdout=-1)
    wait_for(lambda: any(one.done for one in store.reindex.progress()) or killed.poll() is not None, "a batch")
    killed.kill()
    killed.communicate()
    [left] = store.reindex.progress()
    assert 0 < left.done < left.of == 3000
    assert refusal(fhir, "Patient?nickname=taro")[1].startswith("Patient.nickname is being built: ")
    # The lease of the dead is not over: nobody takes its work away from it.
    Reindexer(context, settle=0.0, sweep=0.0).step()
    assert store.reindex.progress() == [left]
    store.reindex._work.update_one({"_id": "Patient"}, [{"$set": {"until": "$$NOW"}}])
    build(context)
    assert fhir.get("Patient?nickname=taro&_total=accurate&_count=1").json()["total"] == 3000


def test_another_process_learns_of_it_within_a_second_of_asking(
    processes: Callable[[], tuple[Context, Clock]]
) -> None:
    (first, _), (second, clock) = processes(), processes()
    with serving(first) as client, serving(second) as other:
        client.send("PUT", "Patient/p1", patient("p1", "Taro"))
        client.send("PUT", "SearchParameter/nickname", NICKNAME)
        build(first)
        assert refusal(other, "Patient?nickname=taro")[1] == "Patient has no search parameter nickname here."
        clock.now += 1.0
        assert other.ids("Patient?nickname=taro") == ["p1"]
        assert other.send("PUT", "Patient/p2", patient("p2", "Taro")).status_code == 201
    assert outdated(first) == []


def test_what_a_process_wrote_that_did_not_know_yet_is_found_and_renewed(
    processes: Callable[[], tuple[Context, Clock]]
) -> None:
    (first, _), (second, _) = processes(), processes()
    with serving(first) as client, serving(second) as late:
        client.send("PUT", "SearchParameter/nickname", NICKNAME)
        build(first)
        late.send("PUT", "Patient/p1", patient("p1", "Taro"))
        assert outdated(first) == ["Patient"]
        build(first)
        assert client.ids("Patient?nickname=taro") == ["p1"]


def test_after_an_upgrade_what_is_stored_otherwise_waits_and_the_rest_is_answered(
    store: Store, fhir: Client, context: Context
) -> None:
    fhir.send("PUT", "Patient/p1", patient("p1"))
    build(context)
    # As a release would have left it that stored the keys of patients otherwise.
    store.reindex.forget("Patient")
    former = store.parameters.read()
    store.parameters.publish(replace(former, hashes={"Patient": "former"}), former)
    upgraded = context_for(store)
    upgraded.parameters.publish()
    with serving(upgraded) as client:
        answer = client.get("Patient?family=山田")
        assert (answer.status_code, answer.json()["issue"][0]["diagnostics"]) == (
            503, "Patient.family is being built: it begins in some seconds.")
        assert (client.ids("Patient?_id=p1"), client.ids("Patient")) == (["p1"], ["p1"])
        build(upgraded)
        assert client.ids("Patient?family=山田") == ["p1"]


def test_a_part_that_starts_meanwhile_leaves_the_standard_answerable(
    context: Context, store: Store, fhir: Client
) -> None:
    fhir.send("PUT", "Patient/p1", patient("p1", "Taro"))
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    Reindexer(context, settle=60.0).step()
    before = store.parameters.read()
    context_for(store).parameters.publish()
    assert store.parameters.read() == before
    assert (before.number, dict(before.building)) == (2, {"Patient": ["nickname"]})


def test_the_former_release_beside_the_new_one_refuses_rather_than_overlooks(store: Store, context: Context) -> None:
    now = store.parameters.read()
    store.parameters.publish(replace(now, hashes={**now.hashes, "Patient": "later"}), now)
    known = context.parameters.at_once()
    assert known.foreign == {"Patient"}
    assert "family" in known.definitions.building["Patient"]


def test_what_cannot_be_indexed_is_named_and_the_parameter_stays_refused(
    context: Context, store: Store, fhir: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fhir.send("PUT", "Patient/p1", patient("p1", "Taro"))
    fhir.send("PUT", "Patient/p2", patient("p2", *(f"n{number}" for number in range(30))))
    fhir.send("PUT", "SearchParameter/nickname", NICKNAME)
    monkeypatch.setattr("fhir_server.search.index.LIMIT", 20)
    Reindexer(context, settle=0.0, sweep=0.0, pause=0.0).step()
    assert refusal(fhir, "Patient?nickname=taro") == (
        400, "Patient.nickname is being built: 50 %, Patient/p2 cannot be indexed.")


def test_the_command_indexes_all_of_a_type_anew(
    context: Context, store: Store, fhir: Client, mongodb_uri: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAKEHASHI_DATABASE", "test")
    monkeypatch.setattr(reindex, "SETTLE", 0.0)
    fhir.send("PUT", "Patient/p1", patient("p1", "Taro"))
    store._database["Patient"].update_one({}, {"$set": {"ix": ["_"]}})
    assert fhir.ids("Patient?family=山田") == []
    done = CliRunner().invoke(reindex.command, ["Patient", "--mongodb-uri", mongodb_uri])
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        0, "All resources are indexed as the search parameters say.")
    assert fhir.ids("Patient?family=山田") == ["p1"]
    wrong = CliRunner().invoke(reindex.command, ["Patients", "--mongodb-uri", mongodb_uri])
    assert (wrong.exit_code, wrong.output.splitlines()[-1]) == (
        2, "Error: There is no resource type Patients in FHIR R4.")


@pytest.mark.parametrize("progress, told", [
    (Progress("Patient", 0, 0, 0.0, ()), "0 %"),
    (Progress("Patient", 43, 100, 0.475, ()), "43 %, about 2 min left"),
    (Progress("Patient", 99, 100, 1.0, ()), "99 %, about 2 s left"),
    (Progress("Patient", 100, 100, 10.0, ()), "99 %, about 1 s left"),
    (Progress("Patient", 1000, 10_000_000, 1000.0, ()), "0 %, about 3 h left"),
])
def test_how_far_it_is_is_told_in_words(progress: Progress, told: str) -> None:
    assert str(progress) == told


def test_it_ends_when_it_is_told(context: Context) -> None:
    stop = Event()
    working = Thread(target=reindex.run, args=(context, stop))
    working.start()
    stop.set()
    working.join(10)
    assert not working.is_alive()
