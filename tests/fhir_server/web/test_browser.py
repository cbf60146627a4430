"""The pages as a person sees them, in a real browser."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

import pytest
from playwright.sync_api import Browser

from fhir_server.store.journal import Message, Parked
from fhir_server.store.store import Store
from tests.browser import browser
from tests.server import Client, context_for, serving

RAW = (
    "MSH|^~\\&|LIS|HOSP||||||X-1|P|2.5||||||UNICODE UTF-8\r"
    "OBX|1|NM|K||4.1\r"
    "OBX|2|NM|AST||<img src=x onerror=document.title='broken'>|U/L\r"
).encode()
ARRIVED = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture
def server(store: Store) -> Iterator[Client]:
    """An open demonstration with one quarantined message."""
    parked = Parked("This is no number.", "OBX[2]-5")
    store.journal.receive([Message("mllp", "9910000011", "X-1", RAW, "9910000011/1", ARRIVED, parked=parked)])
    with serving(context_for(store, demo=True)) as client:
        yield client


@pytest.mark.parametrize("width, scheme", [(1280, "light"), (820, "dark")])
def test_a_quarantined_message_is_listed_and_opens_with_the_offending_field_marked(
    width: int, scheme: Literal["light", "dark"], server: Client, chromium: Browser
) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 1180}, color_scheme=scheme)
    faults: list[str] = []
    page.on("console", lambda said: faults.append(said.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(server.base.removesuffix("/fhir"))
    assert page.locator(".banner.demo").is_visible() and page.locator(".banner.warn").is_visible()
    assert page.locator("tr", has_text="X-1").inner_text().split("\t") == [
        "2026-04-01 09:00:00", "mllp", "9910000011", "X-1", "OBX[2]-5", "This is no number.",
    ]
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_text("X-1", exact=True).click()
    assert page.locator("mark").inner_text() == "<img src=x onerror=document.title='broken'>"
    assert page.title() == "メッセージ Message — 架け橋 Kakehashi"
    assert faults == []
    page.close()
