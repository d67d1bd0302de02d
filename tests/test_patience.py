"""A test that hangs fails: in the middle of itself, in what comes after it, and in a wait within a `finally`."""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

import children
from browser import chromium, open_page  # noqa: F401  fixtures
from patience import patience

SOON = 0.2


def wait_for_an_event() -> None:
    threading.Event().wait()


def wait_for_a_thread() -> None:
    thread = threading.Thread(target=threading.Event().wait, daemon=True)
    thread.start()
    thread.join()


def wait_for_a_queue() -> None:
    queue.Queue[int]().get()


def wait_on_a_loop() -> None:
    asyncio.run(asyncio.Event().wait())  # type: ignore[arg-type]


def wait_in_a_finally() -> None:
    try:
        threading.Event().wait()
    finally:
        threading.Event().wait()


@pytest.mark.parametrize(
    "hang", [wait_for_an_event, wait_for_a_thread, wait_for_a_queue, wait_on_a_loop, wait_in_a_finally]
)
def test_what_waits_for_ever_is_called_away(hang: Callable[[], None]) -> None:
    """Whatever it waits for, and the failure says where it stood."""
    said = f"(?s)this took more than 0.2 s.*MainThread.*{hang.__name__}"
    with pytest.raises(pytest.fail.Exception, match=said), patience("this", SOON, SOON):
        hang()


def test_a_process_that_never_ends_is_called_away() -> None:
    """Also a `communicate` whose pipe is held by a grandchild."""
    sleeper = "import time; time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', '{sleeper}'])"
    process = subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, start_new_session=True)
    try:
        with pytest.raises(pytest.fail.Exception, match="this took more than"), patience("this", SOON, SOON):
            process.communicate()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_a_fork_that_never_ends_is_ended(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With what it said, and where it stood."""
    monkeypatch.setattr(children, "SECONDS", SOON)

    def hang() -> int:
        wait_for_an_event()
        return 0

    with pytest.raises(AssertionError, match="did not come to its end"):
        children.fork_and_wait(hang)
    assert "wait_for_an_event" in capfd.readouterr().err


@pytest.mark.browser
def test_a_page_that_never_answers_is_called_away(open_page: Callable[..., Page]) -> None:  # noqa: F811
    """And the browser is as good as before."""
    page = open_page("about:blank")
    with pytest.raises(pytest.fail.Exception, match="this took more than"), patience("this", SOON, SOON):
        page.evaluate("new Promise(() => {})")
    assert page.evaluate("1 + 1") == 2


def test_what_ends_in_time_is_left_alone() -> None:
    with patience("this", SOON):
        pass
    assert not threading.Event().wait(2 * SOON)
