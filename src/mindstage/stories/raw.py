"""Values on their way into and out of raw SQL, where the two databases differ."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from mindstage.accounts.rows import as_uuid


def main_database() -> BaseDatabaseWrapper:
    """This thread's connection itself: `django.db.connection` looks it up anew for each of its names."""
    return connections[DEFAULT_DB_ALIAS]


def query(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a query on the main database. UUIDs among the parameters are adapted."""
    return _run(sql, parameters)[0]


def execute(sql: str, parameters: Sequence[Any]) -> int:
    """Run a write on the main database; how many rows it touched."""
    return _run(sql, parameters)[1]


def _run(sql: str, parameters: Sequence[Any]) -> tuple[list[tuple[Any, ...]], int]:
    """Rows, and how many were touched. Raises Django's database errors.

    On SQLite past Django's cursor, which takes three times as long as these small queries themselves: it wraps each
    call and writes the statement anew. Where somebody watches the queries, they go through it.
    """
    database = main_database()
    database.ensure_connection()
    values = _adapted(parameters, database)
    if database.vendor != "sqlite" or database.queries_logged or database.execute_wrappers:
        with database.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else [], int(cursor.rowcount)
    database.validate_no_broken_transaction()
    with database.wrap_database_errors:
        done = sqlite3.Connection.execute(database.connection, _for_sqlite(sql), values)
        return done.fetchall(), int(done.rowcount)


@lru_cache(maxsize=64)
def _for_sqlite(sql: str) -> str:
    """The statement with SQLite's own marks. None of ours holds a literal percent sign."""
    return sql.replace("%s", "?")


def into(value: Any) -> Any:
    """SQLite keeps a UUID as 32 hexadecimal digits, PostgreSQL as its own type."""
    return _adapted([value], main_database())[0]


def _adapted(parameters: Sequence[Any], database: BaseDatabaseWrapper) -> list[Any]:
    if database.features.has_native_uuid_field:
        return list(parameters)
    return [value.hex if isinstance(value, uuid.UUID) else value for value in parameters]


def as_optional_uuid(value: Any) -> uuid.UUID | None:
    return None if value is None else as_uuid(value)


__all__ = ["as_optional_uuid", "as_uuid", "execute", "into", "query"]
