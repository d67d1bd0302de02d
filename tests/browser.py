"""A real Chromium for tests, or a loud skip.

An import of the fixtures `browsers`, `chromium` and `open_page` in a conftest.py makes them known there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Error, Page, Playwright, sync_playwright

from silence import Silence, drivers

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-first-run"]
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
LAUNCH_MS: Final = 60_000


def find_chromium() -> str | None:
    """The path of a Chromium on this machine: the environment's MINDSTAGE_CHROMIUM first, then PATH."""
    return os.environ.get("MINDSTAGE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Browsers:
    """One browser after another: a new one only when the last was lost."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._opened = ExitStack()
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self.silence = Silence()

    def give(self) -> Browser:
        """The browser, which runs."""
        if self._browser is None or not answers(self._browser):
            if self._playwright is None or not drivers():
                self.close()
                self._opened.enter_context(self.silence)
                self._playwright = self._opened.enter_context(sync_playwright())
            self._browser = self._playwright.chromium.launch(executable_path=self._path, args=FLAGS, timeout=LAUNCH_MS)
        return self._browser

    def close(self) -> None:
        """End it, and what drives it."""
        browser, self._browser, self._playwright = self._browser, None, None
        with self._opened:
            if browser and answers(browser):
                browser.close()


def answers(browser: Browser) -> bool:
    """Is it there? Playwright itself learns of an end only while it waits for something."""
    try:
        browser.new_browser_cdp_session().detach()
    except Error:
        return False
    return True


@pytest.fixture(scope="module")
def browsers() -> Iterator[Browsers]:
    """One browser for all tests of a module, or the next one where a test lost it.

    Not of the session: while Playwright's synchronous API is in use its loop counts as running in this thread, so no
    asynchronous test could follow it in the same process, and no second one could be opened.
    """
    yield from open_browsers()


def open_browsers() -> Iterator[Browsers]:
    """For a fixture that lasts as long as its tests want one: given, then closed."""
    path = find_chromium()
    if path is None:
        pytest.skip("NO CHROMIUM: the browser tests did not run. Install it (Debian: apt install chromium).")
    # Playwright's own loop runs in this thread meanwhile; Django would take that for an async view.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    browsers = Browsers(path)
    browsers.give()  # before a test opens the database: Django has other connections while a loop runs
    yield browsers
    browsers.close()
    browsers.silence.complain()


@pytest.fixture
def chromium(browsers: Browsers) -> Iterator[Browser]:
    """The browser of this module. A test in which it stood still fails, and the next one gets another."""
    yield browsers.give()
    browsers.silence.complain()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page in a context of its own: `open_page(url, width=1440, height=900, dark=False)`.

    Whatever the page throws, or the content policy refuses, fails the test at its end.
    """
    complaints: list[str] = []
    with ExitStack() as contexts:

        def open_one(url: str, *, width: int = 1440, height: int = 900, dark: bool = False, **options: Any) -> Page:
            context = chromium.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **options
            )
            contexts.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(10_000)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
            page.goto(url)
            return page

        yield open_one
    assert complaints == []


def _is_complaint(message: Any) -> bool:
    """Errors of scripts and of the content policy; a refused request is news for the page, not a fault of it."""
    return message.type == "error" and not message.text.startswith("Failed to load resource")
