"""A browser that answers nothing is ended, and with it whatever waits for its answer.

Most calls of Playwright have a time of their own. `evaluate`, `new_page`, `close` and the start and end of Playwright
itself have none: when Chromium or its driver stands still, but lives, they wait for ever. Once it is dead every call
fails at once, and says where it stood.
"""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Final

import greenlet
import psutil
import pytest

SECONDS: Final = 100.0
"""More than any call of a test is given by itself (90 s, where the embedded narrator tells)."""
GRACE: Final = 20.0
"""For the driver to tell that its browser has ended. With it ends the loop in which a test has opened its database."""


class Silence:
    """While it is entered, no call of this thread to Playwright waits longer than `seconds`."""

    def __init__(self, seconds: float = SECONDS, grace: float = GRACE) -> None:
        self.seconds = seconds
        self.grace = grace
        self._asked: float | None = None
        self._said = ""

    def __enter__(self) -> None:
        # Playwright waits in a greenlet of its own: whoever leaves this one has asked, whoever comes back was answered.
        self._test = greenlet.getcurrent()
        self._before = greenlet.settrace(self._note)
        self._over = threading.Event()
        threading.Thread(target=self._watch, args=(self._over,), name="silence", daemon=True).start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        greenlet.settrace(self._before)
        self._asked = None

    def complain(self) -> None:
        """Fail if a call was not answered, once. The call has failed as well, if it was no `close`."""
        said, self._said = self._said, ""
        if said:
            pytest.fail(said)

    def _note(self, event: str, between: tuple[Any, Any]) -> None:
        left, entered = between
        if entered is self._test:
            self._asked = None
        elif left is self._test:
            self._asked = time.monotonic()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(min(1.0, self.seconds / 4)):
            asked = self._asked
            waited = 0.0 if asked is None else time.monotonic() - asked
            if waited > self.seconds:
                self._said = f"the browser did not answer a call for {self.seconds:g} s, and was killed"
                end_browsers(also_drivers=waited > self.seconds + self.grace)


def drivers() -> list[psutil.Process]:
    """The processes in which Playwright drives the browsers of this one."""
    return [child for child in psutil.Process().children() if "run-driver" in _words(child)]


def end_browsers(*, also_drivers: bool) -> None:
    """SIGKILL to all that Playwright's driver has started, and to it."""
    for driver in drivers():
        for process in [*driver.children(recursive=True), *([driver] if also_drivers else [])]:
            with suppress(psutil.NoSuchProcess):
                process.kill()


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []
