"""Raw queries, and their values made equal where the two kinds of database differ.

They are for what stands on the path of every turn, page and opening; all else uses the ORM, at four times the cost.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper


def query(sql: str, parameters: Sequence[Any] = (), *, alias: str = DEFAULT_DB_ALIAS) -> list[tuple[Any, ...]]:
    """The rows of a query. UUIDs among the parameters are adapted. Raises Django's DatabaseError."""
    return _run(sql, parameters, alias)[0]


def execute(sql: str, parameters: Sequence[Any] = (), *, alias: str = DEFAULT_DB_ALIAS) -> int:
    """Run a write; how many rows it touched. Raises Django's DatabaseError."""
    return _run(sql, parameters, alias)[1]


def _run(sql: str, parameters: Sequence[Any], alias: str) -> tuple[list[tuple[Any, ...]], int]:
    """Rows, and how many were touched.

    Past Django's cursor, which wraps each call and for SQLite writes the statement anew: these small queries take three
    times as long by it there, and half as long again on PostgreSQL. Where somebody watches the queries, they go
    through it.
    """
    database = connections[alias]  # this thread's own: `django.db.connection` looks it up anew for each of its names
    database.ensure_connection()
    values = _adapted(parameters, database)
    if database.queries_logged or database.execute_wrappers:
        with database.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall() if cursor.description else [], int(cursor.rowcount)
    if database.vendor == "sqlite":
        sql = sql.replace("%s", "?")  # its own marks; none of ours holds a literal percent sign
    database.validate_no_broken_transaction()
    # Closed in any case: a row that cannot be read would leave its statement open, and this connection at a moment of
    # the database that is soon past, in which it may write nothing any more.
    with database.wrap_database_errors, closing(database.connection.execute(sql, values)) as done:
        return done.fetchall() if done.description else [], int(done.rowcount)


def into(value: Any, *, alias: str = DEFAULT_DB_ALIAS) -> Any:
    """SQLite keeps a UUID as 32 hexadecimal digits, PostgreSQL as its own type."""
    return _adapted([value], connections[alias])[0]


def _adapted(parameters: Sequence[Any], database: BaseDatabaseWrapper) -> list[Any]:
    if database.features.has_native_uuid_field:
        return list(parameters)
    return [value.hex if isinstance(value, uuid.UUID) else value for value in parameters]


def as_uuid(value: object) -> uuid.UUID:
    """A UUID out of a row: PostgreSQL gives one, SQLite 32 hexadecimal digits."""
    return value if isinstance(value, uuid.UUID) else uuid.UUID(hex=str(value))


def as_optional_uuid(value: object) -> uuid.UUID | None:
    """The same, where the column may be empty."""
    return None if value is None else as_uuid(value)


def as_moment(value: object) -> datetime:
    """A moment in UTC out of a row: PostgreSQL gives one, SQLite one without its zone, or text."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def as_bytes(value: object) -> bytes:
    """Bytes out of a row, whatever buffer they came in."""
    assert isinstance(value, bytes | memoryview)
    return bytes(value)
