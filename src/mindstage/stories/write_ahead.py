"""SQLite's write-ahead log, forced to the disk apart from the commit that wrote it. docs/decisions/0014"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.db import DatabaseError, connection

_force = getattr(os, "fdatasync", os.fsync)  # as SQLite itself: what it needs besides the bytes is the file's length


class LogRefused(DatabaseError):
    """The disk did not take the log: what was committed may not outlive a power cut."""


class WriteAheadLog:
    """The log behind this thread's connection. Commit, say what need not wait for the disk, `sync`, say the rest.

    With `synchronous = FULL` SQLite syncs this file within each commit; with NORMAL it does not
    (https://sqlite.org/pragma.html#pragma_synchronous). NORMAL and a sync of our own promise the same to whoever waits
    for it; in between the database is committed, open to others, and proof against an end of this process.

    A sync that failed is not made good by the next one: the system says once that pages were lost, and takes them for
    clean from then on. So what a refused sync leaves is owed, until the log has gone into the database itself.

    Does nothing on PostgreSQL, and nothing where there is no such log, or no file handle for it: then SQLite syncs.
    """

    def __init__(self, *, force: Callable[[int], object] = _force) -> None:
        self._force = force
        self._of: Any = None
        self._file: int | None = None
        self.owes = False

    def attend(self) -> None:
        """Before a commit: take the syncs over from SQLite, and pay what is owed. Raises DatabaseError."""
        if connection.vendor != "sqlite":
            return
        connection.ensure_connection()
        with connection.wrap_database_errors:
            if connection.connection is not self._of:
                self._take_over()
            if self.owes:
                self._pay()

    def sync(self) -> None:
        """Force to the disk whatever has been committed. Raises LogRefused."""
        if self._file is None:
            return
        try:
            self._force(self._file)
        except OSError as error:
            self.owes = True
            raise LogRefused from error

    def close(self) -> None:
        """Let go of the file. The connection closes itself."""
        if self._file is not None:
            os.close(self._file)
        self._of = self._file = None

    def _take_over(self) -> None:
        self.close()
        database = connection.connection
        if database.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
            # SQLite's own name for the file: what the settings name may be a link, and the log lies where that leads.
            main = next(file for _, name, file in database.execute("PRAGMA database_list") if name == "main")
            with suppress(OSError):
                self._file = os.open(f"{main}-wal", os.O_RDWR)
        if self._file is not None:
            database.execute("PRAGMA synchronous = NORMAL")
            self._of = database

    def _pay(self) -> None:
        """Bring the database itself up to the log. SQLite reads the log as it was written, and syncs the database."""
        busy, _, _ = connection.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise LogRefused
        self.owes = False
