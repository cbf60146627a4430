"""The page and the health answers of a server that runs."""

import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import requests
from rich.console import Console

from fhir_server import status, terminal
from fhir_server.store.journal import Message, Parked
from fhir_server.store.store import Store
from tests.server import START, Client

ARRIVED = datetime(2026, 4, 1, tzinfo=UTC)


def get(client: Client, path: str) -> requests.Response:
    return requests.get(client.base.removesuffix("/fhir") + path, timeout=30)


def message(control: str, feed: str = "mllp", held: str = "", parked: Parked | None = None) -> Message:
    return Message(feed, "9910000011", control, control.encode(), control, ARRIVED, held=held, parked=parked)


def test_the_feeds_are_counted_by_state(store: Store) -> None:
    store.journal.receive([
        message("1"), message("2"), message("3", held="unknown"), message("4", parked=Parked("wrong", "PID-3")),
        message("5", feed="ssmix2"),
    ])
    assert status.feeds(store.journal.counts()) == [
        status.Feed("mllp", done=0, waiting=2, held=1, parked=1, last=ARRIVED),
        status.Feed("ssmix2", done=0, waiting=1, held=0, parked=0, last=ARRIVED),
    ]


def test_it_is_ready_while_listener_and_worker_sign(store: Store, fhir: Client) -> None:
    assert get(fhir, "/health/ready").status_code == 503
    store.heartbeats.beat("mllp", "here:1", START)
    store.heartbeats.beat("worker", "here:2", START)
    assert get(fhir, "/health/ready").json() == {"database": True, "mllp": True, "worker": True}
    assert status.ready(store, START + timedelta(seconds=11)) == {"database": True, "mllp": False, "worker": False}
    store.heartbeats.leave("mllp", "here:1")
    answer = get(fhir, "/health/ready")
    assert (answer.status_code, answer.json()) == (503, {"database": True, "mllp": False, "worker": True})


def test_the_page_says_in_a_banner_which_part_is_down(store: Store, fhir: Client) -> None:
    for part in ("web", "mllp", "worker"):
        store.heartbeats.beat(part, "here:1", START)
    page = get(fhir, "/").text
    assert get(fhir, "/health/ready").status_code == 200
    assert re.findall("<p .*down.*</p>", page.replace("</p>", "</p>\n")) == [
        '<p class="banner down">watch が停止しています。 <small>watch is down.</small></p>']


def test_what_would_steer_a_terminal_or_forge_a_row_is_shown_instead(store: Store, fhir: Client) -> None:
    odd = message("\x00\u202e", parked=Parked("\x1b]0;pwn\x07", "PID-3"))
    store.journal.receive([message("\x1b[31mRED\nmllp"), odd])
    page = get(fhir, "/").text
    written = StringIO()
    for table in terminal.tables(status.read(store, START)):
        Console(file=written, width=300).print(table)
    for shown in (page, written.getvalue()):
        assert "␛[31mRED␊mllp" in shown and "␀�" in shown and "␛]0;pwn␇" in shown
        assert not set("\x00\x07\x1b\u202e") & set(shown)


def test_without_open_only_health_answers(closed: Client) -> None:
    for path in ("/", "/messages/1"):
        refused = get(closed, path)
        assert (refused.status_code, refused.headers["Content-Type"]) == (401, "text/plain; charset=utf-8")
    assert get(closed, "/health/live").status_code == 200
    assert get(closed, "/health/ready").status_code == 503
