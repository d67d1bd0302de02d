"""A forked child of a test, which ends within its time or says where it stood."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
import warnings
from collections.abc import Callable

SECONDS, GRACE = 60.0, 2.0


def fork_and_wait(deed: Callable[[], int]) -> int:
    """Do it in a fork, whose exit code it gives; what became of it, as `os.waitpid` says.

    A fork has none of this process's other threads, and may wait for ever for what one of them held just then.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        code = 1
        try:
            # By a signal: faulthandler's watchdog would wait in a fork for a thread that is not there.
            faulthandler.register(signal.SIGALRM, file=2)
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            code = deed()
        finally:
            os._exit(code)
    deadline = time.monotonic() + SECONDS + GRACE
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError("a fork did not come to its end; where it stood is among what was said")
        time.sleep(0.002)
    return ended[1]
