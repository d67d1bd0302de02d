"""A real Chromium for tests, or a loud skip.

An import of the fixtures `chromium` and `open_page` in a conftest.py makes them known there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str | None:
    """The path of a Chromium on this machine: the environment's MINDSTAGE_CHROMIUM first, then PATH."""
    return os.environ.get("MINDSTAGE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests of a module.

    Not of the session: while Playwright's synchronous API is in use its loop counts as running in this thread, so no
    asynchronous test could follow it in the same process, and no second one could be opened.
    """
    path = find_chromium()
    if path is None:
        pytest.skip("NO CHROMIUM: the browser tests did not run. Install it (Debian: apt install chromium).")
    # Playwright's own loop runs in this thread meanwhile; Django would take that for an async view.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a context of its own: `open_page(url, width=1440, height=900, dark=False)`.

    Whatever the page throws, or the content policy refuses, fails the test at its end.
    """
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_one(url: str, *, width: int = 1440, height: int = 900, dark: bool = False, **options: Any) -> Page:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(message: Any) -> bool:
    """Errors of scripts and of the content policy; a refused request is news for the page, not a fault of it."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")
