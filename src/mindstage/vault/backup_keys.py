"""The keys of backups: made before the backup, kept in the keystore, destroyed by the clock."""

from __future__ import annotations

import os
import uuid
from datetime import date, timedelta

from mindstage.datamap.retention import kept_for
from mindstage.kit import ids
from mindstage.vault.clocks import eager_date, lag
from mindstage.vault.keyring import keyring
from mindstage.vault.keys import KeyGone
from mindstage.vault.marks import keystore_commit, keystore_state
from mindstage.vault.models import BackupKey
from mindstage.vault.sealing import KEY_BYTES
from mindstage.vault.wrapping import unwrap_backup_key, wrap_backup_key

KEPT = timedelta(days=30)


class DeadAtBirth(Exception):
    """The slow date lags so far that the key would have ended before it is used. `days`: how far."""

    def __init__(self, days: int) -> None:
        super().__init__()
        self.days = days


def make_backup_key() -> tuple[uuid.UUID, bytes]:
    """A key for a new backup; it ends 30 days after the slow date of its making, or sooner if so configured.

    Raises DeadAtBirth, with nothing made.
    """
    if lag() >= kept_for("backups"):
        raise DeadAtBirth(lag().days)
    backup, key = ids.sequential(), os.urandom(KEY_BYTES)
    with keystore_commit() as state:
        wrapped = wrap_backup_key(backup, key, epoch_key=keyring(state.epoch).epoch_key)
        made, ends = state.slow_date, state.slow_date + kept_for("backups")
        BackupKey.objects.using("keystore").create(id=backup, wrapped=wrapped, made_on=made, destroy_on=ends)
    return backup, key


def backup_key(backup: uuid.UUID) -> bytes:
    """The key of a backup. Raises KeyGone when it was destroyed, or should have been by the eager date."""
    row = BackupKey.objects.using("keystore").filter(pk=backup, destroy_on__gt=eager_date()).first()
    if row is None:
        raise KeyGone
    return unwrap_backup_key(backup, bytes(row.wrapped), epoch_key=keyring(keystore_state().epoch).epoch_key)


def backup_ends() -> dict[uuid.UUID, date]:
    """Every backup that can still be opened, and the day on which its key ends."""
    rows = BackupKey.objects.using("keystore").filter(destroy_on__gt=eager_date())
    return dict(rows.values_list("pk", "destroy_on"))
