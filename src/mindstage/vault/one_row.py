"""The one row of a table, by raw statements: whatever needs a key asks for it, some of it a dozen times.

The framework puts every query together anew, which takes ten times as long as the database takes for this row. The
columns are the model's own: numbers, texts, days and yes or no, which both databases give as Python has them.
"""

from __future__ import annotations

from django.db import DatabaseError, connections, models
from django.db.transaction import TransactionManagementError

from mindstage.vault import raw


def read_row[Row: models.Model](model: type[Row], alias: str, *, lock: bool = False) -> Row | None:
    """The row; with `lock` nobody else gets it so before the transaction ends. None when there is none yet."""
    connection = connections[alias]
    if lock and connection.get_autocommit():
        raise TransactionManagementError("a row is locked for a transaction, and there is none")
    fields = model._meta.concrete_fields
    columns, table = ", ".join(str(field.column) for field in fields), model._meta.db_table
    waiting = " FOR UPDATE" if lock and connection.features.has_select_for_update else ""
    rows = raw.query(f"SELECT {columns} FROM {table} WHERE id = 1{waiting}", alias=alias)  # noqa: S608 - the model's own names
    return model.from_db(alias, [field.attname for field in fields], rows[0]) if rows else None


def write_row(row: models.Model, alias: str) -> None:
    """Write every column of a row that was read with `lock`. Raises DatabaseError when it is there no more."""
    fields = [field for field in row._meta.concrete_fields if not field.primary_key]
    setting, table = ", ".join(f"{field.column} = %s" for field in fields), row._meta.db_table
    values = [field.get_db_prep_save(getattr(row, field.attname), connections[alias]) for field in fields]
    written = raw.execute(f"UPDATE {table} SET {setting} WHERE id = 1", values, alias=alias)  # noqa: S608
    if written != 1:
        raise DatabaseError(f"the row of {table} is gone")
