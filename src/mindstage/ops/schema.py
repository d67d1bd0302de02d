"""The schema of both databases: refused when it is newer than the program, brought up to date when it is older."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from django.core.management import call_command
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from mindstage.ops.instance import Instance
from mindstage.ops.mistakes import StartMistake
from mindstage.ops.reading_files import read_rows

ALIASES = ("default", "keystore")
_TITLES = {"default": "The database", "keystore": "The keystore"}
_APPLIED = "SELECT app, name FROM django_migrations"


def refuse_newer_schema(instance: Instance) -> None:
    """Raises StartMistake when a newer Mindstage has changed either database. Touches nothing."""
    known = known_migrations()
    for alias in ALIASES:
        if set(read_rows(instance, alias, _APPLIED)) - known:
            raise StartMistake(
                f"{_TITLES[alias]} was made by a newer Mindstage than this one; nothing was changed. "
                "Install the newer program, or start this one on an older copy of the data."
            )


def known_migrations() -> set[tuple[str, str]]:
    """Every migration that this program knows, and those that they replace."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    replaced = {pair for migration in loader.disk_migrations.values() for pair in migration.replaces}
    return set(loader.disk_migrations) | replaced


def pending_migrations(alias: str) -> int:
    """How many migrations the database has not seen."""
    executor = MigrationExecutor(connections[alias])
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def lay_out_file(file: Path) -> None:
    """Make a new SQLite file that can give space back. It is decided before the first table, and asked for only here:
    on an open database the same request waits for the write lock, at every connection. Raises OSError, sqlite3.Error.
    """
    if file.exists():
        return
    connection = sqlite3.connect(file)
    try:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("VACUUM")
    finally:
        connection.close()


def bring_up_to_date() -> None:
    """Migrate both databases; a database that is up to date is not written to. Raises DatabaseError."""
    for alias in ALIASES:
        if pending_migrations(alias):
            call_command("migrate", database=alias, verbosity=0, interactive=False, skip_checks=True)
