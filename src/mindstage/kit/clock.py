"""The clock. Every room asks it for the time, so that a test or a drill can move it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

LOCAL_TIME = Path("/etc/localtime")
_shift = timedelta(0)

AHEAD = timedelta(minutes=5)
"""How far ahead of now something may have begun: a clock that is put right goes back a little."""


def now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC) + _shift


def timestamp() -> float:
    """The current moment as Unix seconds."""
    return time.time() + _shift.total_seconds()


def today() -> date:
    """The current day, in UTC: the only precision that account dates are stored with."""
    return now().date()


def lasts(since: datetime, span: timedelta) -> bool:
    """Whether less than `span` has passed since a moment.

    A moment that is still to come by more than AHEAD was written by a clock that went wrong: what began then would last
    longer than it may, so it is over.
    """
    return -AHEAD <= now() - since < span


def machine_zone(file: Path = LOCAL_TIME) -> tzinfo:
    """The machine's time zone, UTC where it names none. Not from the environment: Django sets TZ there to its own."""
    try:
        with file.open("rb") as content:
            return ZoneInfo.from_file(content)
    except (OSError, ValueError):
        return UTC


@contextmanager
def moved(by: timedelta) -> Iterator[None]:
    """Let the clock run `by` ahead of (or behind) the wall within a block. For tests and drills."""
    global _shift
    before = _shift
    _shift = before + by
    try:
        yield
    finally:
        _shift = before
