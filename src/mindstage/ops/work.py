"""The worker: rings the clocks and runs the jobs, one at a time, until it is told to stop."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from django.db import OperationalError, close_old_connections

from mindstage.accounts.access_counts import store_counts
from mindstage.kit import clock
from mindstage.ops.jobs import give_back_running_jobs, run_next_job
from mindstage.ops.ticker import Clock, next_due, ring_due

PAUSE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 60.0
"""After this time the clocks are looked at again, whatever was known of when the next is due."""


def work(clocks: Sequence[Clock], *, alone: bool) -> None:
    """Work until SIGTERM. `alone`: no other worker shares the database, so running jobs are leftovers."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if alone:
        give_back_running_jobs()
    due: datetime | None = None
    looked = time.monotonic()
    while not stop.is_set():
        if time.monotonic() - looked > LOOK_SECONDS:  # the wall may have jumped back since
            due, looked = None, time.monotonic()
        try:
            due, busy = _one_round(clocks, due)
        except OperationalError:  # the database is locked or away: nothing is lost by waiting
            due, busy = None, False
        if not busy:
            stop.wait(PAUSE_SECONDS)
            close_old_connections()


def _one_round(clocks: Sequence[Clock], due: datetime | None) -> tuple[datetime, bool]:
    if due is None or due <= clock.now():
        ring_due(clocks)
        store_counts()
        due = next_due(clocks)
    return due, run_next_job()
