"""The backups that open, for whoever looks for one: read without a lock or a write, also beside a running server."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Any

from mindstage.kit import clock
from mindstage.ops.backup import Backup, list_backups
from mindstage.ops.instance import Instance
from mindstage.ops.reading_files import read_rows


def read_backups(instance: Instance) -> list[tuple[Backup, date]]:
    """Each backup that can be opened and the day on which its key ends, the newest first. Raises StartMistake."""
    ends = read_backup_ends(instance)
    return [(backup, ends[backup.id]) for backup in list_backups(instance.backups_dir, alive=ends)]


def read_backup_ends(instance: Instance) -> dict[uuid.UUID, date]:
    """As the vault's `backup_ends`, from the keystore as it lies there: what ends by the later date is not in it."""
    slow = read_rows(instance, "keystore", "SELECT slow_date FROM vault_keystore")
    today = max([clock.today(), *(_day(value) for (value,) in slow)])
    rows = read_rows(instance, "keystore", "SELECT id, destroy_on FROM vault_backupkey")
    found = {uuid.UUID(str(ident)): _day(ends) for ident, ends in rows}
    return {ident: ends for ident, ends in found.items() if ends > today}


def _day(value: Any) -> date:
    """SQLite says days as text, a server as values."""
    return value if isinstance(value, date) else date.fromisoformat(value)
