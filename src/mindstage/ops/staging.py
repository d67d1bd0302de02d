"""Files that are made ready beside the live ones, and the one rename that puts them in their place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management import call_command
from django.db import connections

from mindstage.vault.files import sync_folder
from mindstage.vault.keys import close_vault

_SIBLINGS = ("-wal", "-shm", "-journal")


def staged_path(live: Path) -> Path:
    """Where a file is made ready: beside the live one, so that one rename is enough. Leftovers are removed."""
    staged = live.with_name(f"restoring-{live.name}")
    for path in (staged, *siblings(staged)):
        path.unlink(missing_ok=True)
    return staged


def siblings(file: Path) -> list[Path]:
    """What SQLite keeps beside a database."""
    return [file.with_name(file.name + ending) for ending in _SIBLINGS]


@contextmanager
def connected_to(alias: str, file: Path) -> Iterator[None]:
    """Let one of the two connections look at another file, brought up to date, for a while."""
    connection = connections[alias]
    connection.close()
    close_vault()
    before, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], str(file)
    try:
        call_command("migrate", database=alias, verbosity=0, interactive=False, skip_checks=True)
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before
        close_vault()
    fold_log(file)


def swap(staged: Path, live: Path) -> None:
    """One rename. A log of the old file must be gone before it, or SQLite would apply it to the new one."""
    for alias in connections:
        connections[alias].close()
    if live.exists():
        try:
            fold_log(live)
        except sqlite3.DatabaseError:
            pass  # it is damaged, which may be why it is replaced
    for path in siblings(live):
        path.unlink(missing_ok=True)
    staged.replace(live)
    sync_folder(live.parent)
    close_vault()


def fold_log(file: Path) -> None:
    """Write a database's log into its file, so that one rename carries everything. Raises sqlite3.DatabaseError."""
    raw = sqlite3.connect(file)
    try:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()
