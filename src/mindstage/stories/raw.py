"""Values on their way into and out of raw SQL, where the two databases differ."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from mindstage.accounts.rows import as_uuid


def main_database() -> BaseDatabaseWrapper:
    """This thread's connection itself: `django.db.connection` looks it up anew for each of its names."""
    return connections[DEFAULT_DB_ALIAS]


def query(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a query on the main database. UUIDs among the parameters are adapted."""
    database = main_database()
    with database.cursor() as cursor:
        cursor.execute(sql, _adapted(parameters, database))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(sql: str, parameters: Sequence[Any]) -> int:
    """Run a write on the main database; how many rows it touched."""
    database = main_database()
    with database.cursor() as cursor:
        cursor.execute(sql, _adapted(parameters, database))
        return int(cursor.rowcount)


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
