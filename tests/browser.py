"""The browser for tests: the one CHROMIUM names, one on PATH, or Playwright's own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

MISSING = "There is no browser: apt-get install chromium, or name one in CHROMIUM."


@contextmanager
def browser() -> Iterator[Browser]:
    """Gives a browser. Without one the test is named as not run; under CI it fails."""
    with sync_playwright() as playwright:
        path = found() or playwright.chromium.executable_path
        if not Path(path).exists():
            pytest.fail(MISSING) if os.environ.get("CI") else pytest.skip(MISSING)
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


def found() -> str | None:
    named = os.environ.get("CHROMIUM")
    return named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
