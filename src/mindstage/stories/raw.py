"""Values on their way into and out of raw SQL, where the two databases differ."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection

from mindstage.accounts.rows import as_uuid


def query(sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """The rows of a query on the main database. UUIDs among the parameters are adapted."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [into(value) for value in parameters])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def execute(sql: str, parameters: Sequence[Any]) -> int:
    """Run a write on the main database; how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, [into(value) for value in parameters])
        return int(cursor.rowcount)


def into(value: Any) -> Any:
    """SQLite keeps a UUID as 32 hexadecimal digits, PostgreSQL as its own type."""
    if isinstance(value, uuid.UUID) and not connection.features.has_native_uuid_field:
        return value.hex
    return value


def as_optional_uuid(value: Any) -> uuid.UUID | None:
    return None if value is None else as_uuid(value)


__all__ = ["as_optional_uuid", "as_uuid", "execute", "into", "query"]
