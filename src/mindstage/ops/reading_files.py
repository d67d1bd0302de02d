"""Reading an instance's databases without touching them: for checks that must leave every byte as it was."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from mindstage.ops.instance import Instance
from mindstage.ops.mistakes import StartMistake

Rows = list[tuple[Any, ...]]

CONNECT_SECONDS: Final = 5
"""How long a database server is waited for before it is said that it does not answer."""


def read_rows(instance: Instance, alias: str, sql: str) -> Rows:
    """Rows of one of the two databases; none when the database or its table is not there yet. Raises StartMistake."""
    url, file = _place(instance, alias)
    if url:
        return _read_server(alias, sql)
    return _read_file(file, sql)


def exists(instance: Instance, alias: str) -> bool:
    """Is there something to read?"""
    url, file = _place(instance, alias)
    return bool(url) or file.is_file()


def _place(instance: Instance, alias: str) -> tuple[str, Path]:
    if alias == "keystore":
        return instance.keystore_url, instance.keystore_file
    return instance.database_url, instance.database_file


def _read_file(file: Path, sql: str) -> Rows:
    if not file.is_file() or not file.stat().st_size:
        return []
    # With no log beside it the file is whole, and `immutable` keeps SQLite from making one just to read.
    log = file.with_name(file.name + "-wal")
    flags = "mode=ro" if log.exists() else "mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(f"{file.absolute().as_uri()}?{flags}", uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if "no such table" in str(error):
            return []
        raise StartMistake(
            f"{file} cannot be read as a database of Mindstage; nothing was changed. Put it back from a backup."
        ) from None


def _read_server(alias: str, sql: str) -> Rows:
    from django.db import DatabaseError, connections

    # A connection of its own: a pool would try again for half a minute, and say each time that it failed.
    connection = connections[alias].copy()
    connection.settings_dict["OPTIONS"] = {"connect_timeout": CONNECT_SECONDS}
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
            return list(rows)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") == "42P01":  # no such table
            return []
        raise StartMistake(f"The database server for {alias} does not answer; nothing was changed.") from None
    finally:
        connection.close()
