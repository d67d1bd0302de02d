"""Daily care of the database files: small ones are rewritten, the log is emptied, freed pages go back to the disk."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Final

from django.db import connections

from mindstage.ops.schema import ALIASES

LARGEST: Final = 64 * 1024 * 1024
"""Bytes in use. Nobody else writes while a file is rewritten (a second), and a second copy stands in memory."""
PAGES: Final = 4000
"""Freed pages given back at a time (16 MB), so that nobody waits long for the write lock."""


def tidy_database() -> None:
    """Look after both databases, whatever becomes of the first. SQLite only: a server looks after itself."""
    with ExitStack() as deeds:
        for alias in ALIASES:
            if connections[alias].vendor == "sqlite":
                deeds.callback(_tidy, alias)


def _tidy(alias: str) -> None:
    with connections[alias].cursor() as cursor:
        tidy_file(cursor)


def tidy_file(cursor: Any) -> None:
    """Rewrite the file if it is small, checkpoint, shrink, and refresh the planner's statistics.

    secure_delete overwrites a row where it stands. Where SQLite has moved rows from one page to another, a copy may
    still stand in the room between two entries of the first, and is then no row's: only a new file is without it.
    docs/subsystems/erasure.md
    """
    try:
        if _bytes_in_use(cursor) <= LARGEST:
            cursor.execute("VACUUM")
    finally:  # on a full disk there is no room for a new file, and all the more need of what follows
        _give_back(cursor)


def _give_back(cursor: Any) -> None:
    # What was deleted is overwritten in the file; its old copies in the write-ahead log end here. First, as a full disk
    # has no room for a longer log; and last, as what is done meanwhile is written to the log.
    _empty_log(cursor)
    cursor.execute(f"PRAGMA incremental_vacuum({PAGES})").fetchall()
    cursor.execute("PRAGMA analysis_limit = 400").fetchall()
    cursor.execute("PRAGMA optimize").fetchall()
    _empty_log(cursor)


def _empty_log(cursor: Any) -> None:
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _bytes_in_use(cursor: Any) -> int:
    pages, free, size = (
        cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)
