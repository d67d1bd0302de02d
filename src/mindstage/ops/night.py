"""The night: once in 24 hours of running. Each step is harmless to repeat, and a night that was killed goes on.

1 the slow date moves by a day   2 keys of backups that are due by the eager date are destroyed   3 what is due in the
trash and of frozen accounts ends   4 a backup   5 the epoch turns, and erasures that waited for it are done

A step that fails is remembered by the type of its error, said by `mindstage doctor`, and stops no other step.
docs/subsystems/retention.md
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction

from mindstage.kit import clock
from mindstage.kit.file_lock import file_lock
from mindstage.ops.backup import back_up
from mindstage.ops.models import Night
from mindstage.ops.moving import move_living
from mindstage.rights.erasure import run_due
from mindstage.rights.trash import end_due
from mindstage.vault import clocks
from mindstage.vault.clocks import MADE_UP, expire_backup_keys, slow_date
from mindstage.vault.rotation import is_due, resume_rotation, rotate

logger = logging.getLogger(__name__)

LOCK: Final = "night.lock"
DAY: Final = timedelta(days=1)


class NightUnderWay(Exception):
    """Another process of this machine is in the middle of a night. Nothing was done."""


class NothingToConfirm(Exception):
    """The instance's own date does not lie behind the wall clock's. Its text is one sentence."""


def pass_night(*, by_hand: bool = False) -> Night:
    """Pass one night, or finish the one that was begun. Raises NightUnderWay, EndingsFailed.

    `by_hand`: all steps but the first. The slow date counts days of running, and nobody hurries it along.
    A night whose endings failed stays open, and is gone on with when the clock rings again.
    """
    with _alone():
        row = _begun(by_hand=by_hand)
        finish_move(row)
        expire_backup_keys()
        ended = _try(row, "ending", end_living)
        _back_up_once(row)
        _turn_epoch(row)
        if not ended or not _try(row, "ending", run_due):  # what waited for the epoch is done now
            raise EndingsFailed
        _save(row, open=False, ended_on=clock.today())
        return row


class EndingsFailed(Exception):
    """Something that was due could not be ended: the night is taken up again soon."""


def confirm_date() -> int:
    """The operator says that the wall clock is right: the slow date catches up, all freezes and trash move along.

    Returns the days. Raises NothingToConfirm, NightUnderWay.
    """
    with _alone():
        row = the_night()
        finish_move(row)
        days = clocks.lag().days
        if not days:
            raise NothingToConfirm("The date of this instance is that of the wall clock already; nothing was changed.")
        today = slow_date()
        _save(row, from_date=today, to_date=today + days * DAY, shift_days=days, shifted=False)
        finish_move(row)
        return days


def the_night() -> Night:
    """The one row."""
    return Night.objects.get_or_create(pk=1)[0]


def _begun(*, by_hand: bool) -> Night:
    """The open night, or a new one with its move of the date planned."""
    row = the_night()
    if row.open:
        return row
    finish_move(row)
    came_from, wall = slow_date(), clock.today()
    night = DAY if row.ended_on or came_from < wall else timedelta(0)  # a first start is no night that has passed
    lag = wall - (came_from + night)
    shift = lag if timedelta(0) < lag <= MADE_UP else timedelta(0)
    if by_hand:
        night = shift = timedelta(0)
    _save(
        row,
        open=True,
        backup_tried=False,
        from_date=came_from,
        to_date=came_from + night + shift,
        shift_days=shift.days,
        shifted=False,
    )
    return row


def finish_move(row: Night) -> None:
    """Make the planned move of the slow date, from wherever it stands. A plan for another date is void."""
    if row.from_date is None or row.to_date is None:
        return
    today, shift = slow_date(), timedelta(days=row.shift_days)
    reached = row.to_date - shift
    if today not in (row.from_date, reached) or today == row.to_date:
        return
    if today < reached:
        clocks.turn_night()
    if shift and not row.shifted:
        with transaction.atomic():
            move_living(shift)
            _save(row, shifted=True)
    if shift:
        clocks.shift_date(shift)


def end_living() -> None:
    """End what is due by the slow date: the trash first, then accounts whose freeze is over."""
    end_due()
    run_due()


def _back_up_once(row: Night) -> None:
    """One try a night: a backup that failed is said by `doctor`, and tried again the next night."""
    if row.backup_tried:
        return
    done = _try(row, "backup", lambda: back_up(settings.MINDSTAGE, wait=True))
    _save(row, backup_tried=True, backed_up_on=clock.today() if done else row.backed_up_on)


def _turn_epoch(row: Night) -> None:
    """Turn it when keys died, or monthly; else finish what was begun."""
    done = _try(row, "epoch", rotate if is_due(slow_date()) else resume_rotation)
    _save(row, epoch_waits_since=None if done else row.epoch_waits_since or clock.today())


def _try(row: Night, name: str, deed: Callable[[], object]) -> bool:
    try:
        deed()
    except Exception as error:  # one step that fails must not stop the others; its words may hold a path
        problem = type(error).__name__
        logger.warning("The night's %s failed (%s); `mindstage doctor` says more.", name, problem)
        _save(row, **{f"{name}_problem": problem[:100]})
        return False
    _save(row, **{f"{name}_problem": ""})
    return True


def _save(row: Night, **changes: date | int | str | bool | None) -> None:
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=list(changes))


@contextmanager
def _alone() -> Iterator[None]:
    """One night at a time on this machine."""
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(settings.MINDSTAGE.keys_dir / LOCK, wait=False))
        except BlockingIOError:
            raise NightUnderWay from None
        yield
