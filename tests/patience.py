"""No test waits for ever: one that hangs fails by itself, and says where each thread stood.

Twice as long as the slowest machine needs is no measure of anything: no test may take its time from here. Whoever lets
one run for hours by hand says `TEST_PATIENCE=0 bin/test ...`.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

SECONDS = float(os.environ.get("TEST_PATIENCE", "600"))
"""Of one phase of a test: what it is given (fixtures), itself, and what is put away again. 0: for ever."""
AGAIN = 30.0
"""Seconds after which whatever still waits, in a `finally` perhaps, is called away as well."""
LAST = 300.0
"""Seconds after which a process that cannot even be called away ends at once. xdist then names the test."""
_stderr: list[int] = []


def pytest_configure(config: pytest.Config) -> None:
    """Keep the way to the terminal, before anything of a test is caught."""
    if not _stderr:
        _stderr.append(os.dup(2))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with patience("what the test is given"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with patience("the test"):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    with patience("putting away what the test was given"):
        return (yield)


@contextmanager
def patience(what: str, seconds: float = SECONDS, again: float = AGAIN) -> Iterator[None]:
    """Whatever the main thread waits for in this block is called away after so many seconds, by a failure."""

    def call_away(*_: Any) -> None:
        pytest.fail(f"{what} took more than {seconds:g} s. Where each thread stood:\n{where_each_thread_stands()}")

    if not seconds or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGALRM, call_away)
    signal.setitimer(signal.ITIMER_REAL, seconds, again)
    if _stderr:
        faulthandler.dump_traceback_later(seconds + LAST, exit=True, file=_stderr[0])
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        faulthandler.cancel_dump_traceback_later()
        signal.signal(signal.SIGALRM, before)


def where_each_thread_stands() -> str:
    """The stacks of all threads, the youngest call last."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        f"- {names.get(ident, ident)}\n{''.join(traceback.format_stack(frame)[-12:])}"
        for ident, frame in sys._current_frames().items()
    )
