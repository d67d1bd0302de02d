"""How the tests empty their tables on PostgreSQL: what was written is deleted, where it is little.

The framework truncates all sixty of them after each test that commits. Every table has several files then, which the
server makes anew, whether or not there was a row in them: 30 ms a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.backends.postgresql.operations import DatabaseOperations

LITTLE: Final = 300
"""Rows of one table that are sooner deleted, with what checks their references, than truncated."""

_STILL_WRITING: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND backend_xid IS NOT NULL"
)

_truncate = DatabaseOperations.sql_flush


def delete_what_was_written() -> None:
    """From now on, in this process."""
    DatabaseOperations.sql_flush = _empty  # type: ignore[method-assign]


def _empty(operations: DatabaseOperations, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
    """The statements that empty these tables, run in one transaction: references are checked at its end."""
    names = {table: operations.quote_name(table) for table in tables}
    some = f"SELECT '%s', count(*) FROM (SELECT FROM %s LIMIT {LITTLE + 1}) t"
    with operations.connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(some % pair for pair in names.items()))
        written = {table: count for table, count in cursor.fetchall() if count}
        cursor.execute(_STILL_WRITING)
        (still,) = cursor.fetchone()
    # Truncating waits for whoever has not committed yet, where deleting would leave what they wrote.
    if still or options.get("reset_sequences") or any(count > LITTLE for count in written.values()):
        return _truncate(operations, style, tables, **options)
    return [f"DELETE FROM {names[table]}" for table in written]
