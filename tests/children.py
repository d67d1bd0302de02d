"""A forked child of a test, which ends within its time or says where it stood."""

from __future__ import annotations

import faulthandler
import math
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
            # It ends by that signal as well: one that outlived this process would hold its pipes open for ever.
            faulthandler.register(signal.SIGALRM, file=2, chain=True)
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            code = deed()
        finally:
            os._exit(code)
    deadline = time.monotonic() + SECONDS + GRACE
    while not (ended := os.waitpid(child, os.WNOHANG))[0]:
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            deadline = math.inf
        time.sleep(0.002)
    if deadline == math.inf or ended[1] == signal.SIGALRM:
        raise AssertionError("a fork did not come to its end; where it stood is among what was said")
    return ended[1]
