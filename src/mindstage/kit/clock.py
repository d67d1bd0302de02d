"""The clock. Every room asks it for the time, so that a test or a drill can move it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

_shift = timedelta(0)


def now() -> datetime:
    """The current moment, in UTC."""
    return datetime.now(UTC) + _shift


def timestamp() -> float:
    """The current moment as Unix seconds."""
    return time.time() + _shift.total_seconds()


def today() -> date:
    """The current day, in UTC: the only precision that account dates are stored with."""
    return now().date()


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
