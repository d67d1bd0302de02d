"""The worker: rings the clocks and runs the jobs until it is told to stop.

It works in three lanes, each a thread that does one thing after the other: the short clocks and jobs; the night and
what follows it; the long jobs. So nobody's long export keeps others waiting for a letter, or the clocks from ringing,
and two long exports still follow each other. docs/subsystems/serving.md
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from queue import SimpleQueue
from typing import Final

from django.db import OperationalError, close_old_connections, connections
from django.db.models import Q

from mindstage.kit import clock
from mindstage.ops.jobs import run_next_job, store_openings
from mindstage.ops.ticker import Clock, next_due, ring_due

PAUSE_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 60.0
"""After this time the clocks are looked at again, whatever was known of when the next is due."""

type _News = SimpleQueue[BaseException | None]
"""What ends the worker: None, it was told to stop; or the fault by which a lane fell."""


@dataclass(frozen=True, slots=True)
class Lane:
    """The clocks that one thread rings, and the jobs that it runs: `jobs` names them, None is none of them."""

    name: str
    clocks: Sequence[Clock]
    jobs: Q | None


def lanes_of(clocks: Iterable[Clock], long_jobs: Sequence[str]) -> tuple[Lane, ...]:
    """Every clock and every job in one lane each, also a job that no module knows any more."""
    table = list(clocks)
    long = Q(task__in=long_jobs)
    return (
        Lane("short", [each for each in table if not each.long], ~long),
        Lane("long clocks", [each for each in table if each.long], None),
        Lane("long jobs", [], long),
    )


def work(lanes: Sequence[Lane]) -> None:
    """Work until SIGTERM, then finish what is at hand.

    A lane that falls ends the worker, whatever the others are at: a deed half done is repeated by the next one.
    """
    stop = threading.Event()
    news: _News = SimpleQueue()
    signal.signal(signal.SIGTERM, lambda *_: news.put(None))  # takes no lock that this thread may be holding
    threads = [threading.Thread(target=_keep, args=(lane, stop, news), name=lane.name, daemon=True) for lane in lanes]
    for thread in threads:
        thread.start()
    fault = news.get()
    stop.set()
    if fault is not None:
        raise fault
    for thread in threads:
        thread.join()


def _keep(lane: Lane, stop: threading.Event, news: _News) -> None:
    try:
        _go_round(lane, stop)
    except BaseException as fault:  # the main thread raises it
        news.put(fault)
    finally:
        connections.close_all()  # of this thread


def _go_round(lane: Lane, stop: threading.Event) -> None:
    due: datetime | None = None
    looked = time.monotonic()
    while not stop.is_set():
        if time.monotonic() - looked > LOOK_SECONDS:  # the wall may have jumped back since
            due, looked = None, time.monotonic()
        try:
            due, busy = _one_round(lane, due)
        except OperationalError:  # the database is locked or away: nothing is lost by waiting
            due, busy = None, False
        if not busy:
            stop.wait(PAUSE_SECONDS)
            close_old_connections()


def _one_round(lane: Lane, due: datetime | None) -> tuple[datetime, bool]:
    if due is None or due <= clock.now():
        ring_due(lane.clocks)
        store_openings()
        due = next_due(lane.clocks)
    return due, lane.jobs is not None and run_next_job(lane.jobs)
