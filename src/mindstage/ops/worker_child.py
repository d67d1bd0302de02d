"""The job worker as a child of the web process: started after the first page can be served, restarted when it falls."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from typing import Final

from django.conf import settings

from mindstage.kit.children import end, spawn

logger = logging.getLogger(__name__)

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0


def _without_keys() -> dict[str, str]:
    """The environment without the providers' keys: no job talks to a narrator."""
    keys = {entry.api_key_env for entry in settings.MINDSTAGE.providers}
    return {name: value for name, value in os.environ.items() if name not in keys}


class WorkerChild:
    """One `mindstage work` process. All calls come from the main thread: the kernel ties the child to it."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._wait = FIRST_WAIT
        self._not_before = time.monotonic() + FIRST_WAIT
        self._leaving = False

    def keep(self) -> None:
        """Start the worker when it does not run; wait twice as long after each fall."""
        if self._leaving or time.monotonic() < self._not_before:
            return
        if self._child is not None:
            if self._child.poll() is None:
                return
            logger.warning("The job worker ended with code %s and is started again.", self._child.returncode)
        try:
            self._child = spawn([sys.executable, "-m", "mindstage", "work", "--as-child"], environ=_without_keys())
        except OSError:  # no file handle or no memory just now: the house stays open, and it is tried again
            logger.warning("The job worker could not be started and is tried again.")
            self._child = None
        self._not_before = time.monotonic() + self._wait
        self._wait = min(self._wait * 2, LONGEST_WAIT)

    def ask_to_end(self) -> None:
        """Tell the worker to finish what it is at; returns at once."""
        self._leaving = True
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def end(self, *, within: float) -> None:
        """Wait for the worker's end, at most `within` seconds, then kill it."""
        self._leaving = True
        if self._child is not None:
            end(self._child, within=within)
