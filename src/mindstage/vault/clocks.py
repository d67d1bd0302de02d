"""Two dates: the slow one moves a day a night and ends living things, the eager one believes the wall."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction

from mindstage.kit import clock
from mindstage.vault.marks import keystore_commit, keystore_state, mark_database
from mindstage.vault.models import BackupKey, ReservedHandle

MADE_UP = timedelta(days=2)
"""A lag behind the wall up to here is made up without asking."""


def slow_date() -> date:
    """The instance's own day."""
    return keystore_state().slow_date


def eager_date() -> date:
    """Whichever is later, the wall's day or the slow one: no wrong clock keeps a backup key alive."""
    return max(clock.today(), slow_date())


def lag() -> timedelta:
    """How far the slow date lies behind the wall; zero when it does not."""
    return max(timedelta(0), clock.today() - slow_date())


def turn_night() -> date:
    """One night has passed: the slow date moves on by a day, and reservations that are over end.

    The database is counted first, for the keystore to note: most of what a day writes needs no new key and counts
    nothing, and a database from before the night would else be taken for today's.
    """
    with transaction.atomic():
        mark_database()
    with keystore_commit() as state:
        state.slow_date += timedelta(days=1)
        ReservedHandle.objects.using("keystore").filter(until__lte=state.slow_date).delete()
        return state.slow_date


def shift_date(by: timedelta) -> None:
    """Let the slow date catch up; reservations move along. The caller has moved freezes and trash before."""
    with keystore_commit() as state:
        state.slow_date += by
        for reserved in ReservedHandle.objects.using("keystore"):
            reserved.until += by
            reserved.save(using="keystore", update_fields=["until"])


def expire_backup_keys() -> int:
    """Destroy the keys of backups that are due by the eager date; how many. It counts as keys that died."""
    today = eager_date()
    due = BackupKey.objects.using("keystore").filter(destroy_on__lte=today)
    if not due.exists():
        return 0
    with keystore_commit() as state:
        count = due.delete()[0]
        state.dirty = True
        state.forgotten += 1
    return count
