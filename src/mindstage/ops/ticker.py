"""The ticker: every clock of config/schedule.py has a row, and one conditional UPDATE decides who rings it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mindstage.kit import clock
from mindstage.kit.acting import PROGRAM, acting_as
from mindstage.ops.models import Tick

logger = logging.getLogger(__name__)

RETRY: Final = timedelta(minutes=15)
"""A deed that failed, or whose worker was killed, is due again after this time or its shorter period."""


@dataclass(frozen=True, slots=True)
class Clock:
    """One thing that happens by itself: `deed` every `every`. It must be harmless to repeat."""

    name: str
    every: timedelta
    deed: Callable[[], object]
    long: bool = False
    """It may take minutes: the others do not wait for it. Long ones follow each other in the order of the table."""


def ring_due(clocks: Iterable[Clock]) -> list[str]:
    """Run every clock that is due and that no other worker claimed; returns their names."""
    return [each.name for each in clocks if _claim(each) and _ring(each)]


def next_due(clocks: Iterable[Clock]) -> datetime:
    """The moment at which the next of these clocks is due. A clock that was never seen is due now."""
    names = [each.name for each in clocks]
    due = dict(Tick.objects.filter(name__in=names).values_list("name", "due_at"))
    return min((due.get(name, clock.now()) for name in names), default=clock.now() + RETRY)


def _claim(each: Clock) -> bool:
    Tick.objects.get_or_create(name=each.name)
    now = clock.now()
    # A clock that jumped back leaves due dates that are further away than a period; they are drawn in, not rung at
    # once: a wall that wavers must not make two nights of one.
    Tick.objects.filter(name=each.name, due_at__gt=now + each.every).update(due_at=now + each.every)
    due = Tick.objects.filter(name=each.name, due_at__lte=now)
    return due.update(due_at=now + min(each.every, RETRY)) == 1


def _ring(each: Clock) -> bool:
    began = clock.now()
    try:
        with acting_as(PROGRAM):
            each.deed()
    except Exception as error:  # one broken clock must not stop the others
        logger.warning("The clock %s failed (%s) and is tried again later.", each.name, type(error).__name__)
        return False
    Tick.objects.filter(name=each.name).update(due_at=began + each.every)
    return True
