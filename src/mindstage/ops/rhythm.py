"""When the clocks of this machine ring next, and how far its night has come: both outlive a restore.

A backup holds them as they stood when it was taken. Put back like that, a night that has passed would pass once more,
and the slow date would stay a day ahead of the wall for good.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db import transaction

from mindstage.kit import clock
from mindstage.ops.models import Night, Tick
from mindstage.vault.clocks import slow_date

DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The rows of both."""

    ticks: tuple[Tick, ...]
    nights: tuple[Night, ...]


def note_rhythm() -> Rhythm:
    """Read them. Raises DatabaseError."""
    return Rhythm(tuple(Tick.objects.all()), tuple(Night.objects.all()))


def carry_rhythm(rhythm: Rhythm | None) -> None:
    """Put them in place of those that came with a backup; None when nothing is left to be carried."""
    if rhythm is None:
        find_rhythm()
        return
    with transaction.atomic():
        Tick.objects.all().delete()
        Tick.objects.bulk_create(rhythm.ticks)
        Night.objects.all().delete()
        Night.objects.bulk_create(rhythm.nights)
        Night.objects.update(shifted=False)  # freezes and trash of a backup have not moved along


def find_rhythm() -> None:
    """Without the rows of before: when today's night has passed by the slow date, the next is a day away."""
    later = clock.now() + DAY
    if slow_date() >= clock.today():
        Tick.objects.filter(due_at__lt=later).update(due_at=later)
