"""SQLite's write-ahead log, forced to the disk apart from the commit that wrote it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError, connection

_force = getattr(os, "fdatasync", os.fsync)  # as SQLite itself: what it needs besides the bytes is the file's length


class LogRefused(DatabaseError):
    """The log could not be opened, or the disk did not take it: what was committed may not outlive a power cut."""


class WriteAheadLog:
    """The log behind this thread's connection. Commit, say what need not wait for the disk, `sync`, say the rest.

    With `synchronous = FULL` SQLite syncs this file within each commit; with NORMAL it does not, and that is all the
    difference between the two (https://sqlite.org/pragma.html#pragma_synchronous). So NORMAL and a sync of our own
    promise what FULL promises, and in between the database is committed, open to others, and proof against an end of
    this process. Does nothing on PostgreSQL, and changes nothing for a database without such a log.
    """

    def __init__(self, *, force: Callable[[int], object] = _force) -> None:
        self._force = force
        self._of: Any = None
        self._file: int | None = None

    def attend(self) -> None:
        """Before a commit: stop SQLite from syncing by itself, once for each connection. Raises DatabaseError."""
        if connection.vendor != "sqlite":
            return
        connection.ensure_connection()
        database = connection.connection
        if database is not self._of:
            self.close()
            with connection.wrap_database_errors:
                if database.execute("PRAGMA journal_mode").fetchone()[0] == "wal":
                    self._file = _open(f"{connection.settings_dict['NAME']}-wal")
                    database.execute("PRAGMA synchronous = NORMAL")  # only now: until then SQLite syncs
            self._of = database

    def sync(self) -> None:
        """Force to the disk whatever has been committed. Raises LogRefused."""
        if self._file is None:
            return
        try:
            self._force(self._file)
        except OSError as error:
            raise LogRefused from error

    def close(self) -> None:
        """Let go of the file. The connection closes itself."""
        if self._file is not None:
            os.close(self._file)
        self._of = self._file = None


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDWR)
    except OSError as error:  # no file handle is left
        raise LogRefused from error
