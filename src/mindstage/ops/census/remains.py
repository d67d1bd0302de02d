"""What remains in clear: every column that is not sealed, with what the data map says of it. Metadata is data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps

from mindstage.datamap.reading import data_map
from mindstage.ops.census.places import list_columns, open_to_read

UNDECLARED = "undeclared"
_OF_THE_FRAMEWORK = "of the framework or the database itself: its schema, and counts for its planner"
_FRAMEWORKS = ("django_migrations", "sqlite_")
"""How the names of its tables begin."""


@dataclass(frozen=True, slots=True)
class Remaining:
    """One clear column: how many rows have a value, and what the data map says of it.

    `entry` is "" where the column is about nobody; `note` is the entry's title or the reason.
    """

    database: str
    column: str
    entry: str
    note: str
    rows: int


def list_remaining(databases: dict[str, Path]) -> list[Remaining]:
    """The clear columns of databases (name -> file) that hold something, and all that nobody declared.

    Raises sqlite3.Error.
    """
    found = [one for name, file in databases.items() for one in _of_database(name, file)]
    return [one for one in found if one.rows or one.note == UNDECLARED]


def _of_database(name: str, file: Path) -> Iterator[Remaining]:
    paths = _paths_of_columns()
    with closing(open_to_read(file)) as opened:
        for table, column in list_columns(opened):
            entry, note, sealed = _declared(table, paths.get((table, column)))
            if sealed:
                continue
            query = f'SELECT COUNT("{column}") FROM "{table}" WHERE "{column}" <> \'\''  # noqa: S608 - from the schema
            yield Remaining(name, f"{table}.{column}", entry, note, opened.execute(query).fetchone()[0])


def _paths_of_columns() -> dict[tuple[str, str], str]:
    """(table, column) -> `app.Model.field`, as the data map writes it."""
    return {
        (model._meta.db_table, str(field.column)): f"{model._meta.label}.{field.name}"
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
    }


def _declared(table: str, path: str | None) -> tuple[str, str, bool]:
    """Entry, note, and whether the column is sealed. One that no model knows was added behind the program's back."""
    if path is None:
        return "", _OF_THE_FRAMEWORK if table.startswith(_FRAMEWORKS) else UNDECLARED, False
    declared = data_map()
    entry = declared.places().get(path, "")
    sealed = bool(entry) and path in declared.entries[entry].fields
    return entry, declared.entries[entry].title if entry else declared.impersonal.get(path, UNDECLARED), sealed
