"""A browser that stands still costs one test its success, and no other test anything."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import psutil
import pytest
from playwright.sync_api import Error, Page

from browser import Browsers, answers, find_chromium
from silence import GRACE, SECONDS

CHROMIUM = find_chromium()
pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM")]


@pytest.fixture
def browsers() -> Iterator[Browsers]:
    browsers = Browsers(str(CHROMIUM))
    yield browsers
    browsers.close()


def signal_all(word: str, what: signal.Signals) -> None:
    """To every process below this one that was started with this word."""
    for one in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if word in one.cmdline():
                one.send_signal(what)


@pytest.mark.parametrize(
    ("stands_still", "ask"),
    [
        ("--type=renderer", lambda page: page.evaluate("1")),
        ("--remote-debugging-pipe", lambda page: page.context.new_page()),
        ("run-driver", lambda page: page.context.close()),
    ],
    ids=["page", "browser", "driver"],
)
def test_a_call_that_is_not_answered_ends(browsers: Browsers, stands_still: str, ask: Callable[[Page], object]) -> None:
    """The page, the browser or its driver lives and says nothing: it is ended, and the next test has a new one."""
    browser = browsers.give()
    page = browser.new_context().new_page()
    signal_all(stands_still, signal.SIGSTOP)
    silence = browsers.silence
    silence.seconds, silence.grace = 1.0, 1.0 if stands_still == "run-driver" else GRACE
    with suppress(Error):  # a page that is closed is closed either way
        ask(page)
    silence.seconds, silence.grace = SECONDS, GRACE
    with pytest.raises(pytest.fail.Exception, match="did not answer"):
        silence.complain()
    silence.complain()
    assert not answers(browser)
    assert browsers.give().new_context().new_page().evaluate("6 * 7") == 42


def test_a_browser_that_is_gone_is_replaced(browsers: Browsers) -> None:
    """A crash between two tests costs neither of them."""
    first = browsers.give()
    assert browsers.give() is first
    signal_all("--remote-debugging-pipe", signal.SIGKILL)
    assert browsers.give().new_context().new_page().evaluate("6 * 7") == 42
    browsers.silence.complain()
