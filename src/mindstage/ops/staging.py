"""What is made ready beside a live database, and the one durable step that puts it in its place.

A file is made ready beside the live file, and renamed over it. On a PostgreSQL server the place beside is a schema of
the same database: one transaction drops the old tables and gives the new ones their name. Either way a crash leaves
the old or the new, whole.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from django.conf import settings
from django.core.management import call_command
from django.db import connections, transaction

from mindstage.ops.servers import put_beside
from mindstage.vault.files import sync_folder
from mindstage.vault.keys import close_vault

SCHEMA: Final = "restoring"
_SCRATCH: Final = "restoring-"
_SIBLINGS: Final = ("-wal", "-shm", "-journal")


class Stage(Protocol):
    """An empty place beside one of the two databases."""

    def fill(self, write: Callable[[Path], None]) -> None:
        """Fill it with a backup that `write` puts into a file. Raises what `write` raises, ServerRefused, OSError."""

    def connected(self) -> AbstractContextManager[None]:
        """Let the connection look at it, brought up to date, for a while."""

    def swap(self) -> None:
        """Put it in the place of the live database: one durable write."""

    def clear(self) -> None:
        """Remove what lies in it."""


@contextmanager
def staged(alias: str) -> Iterator[Stage]:
    """A place beside a live database. What still lies there at the end is removed; what a crash left, at the start."""
    stage = _stage(alias)
    stage.clear()
    try:
        yield stage
    except Exception:
        stage.clear()
        raise
    stage.clear()


def clear_stages() -> None:
    """Remove what a restore that was cut off has left: old rows, and keys. Raises OSError, DatabaseError."""
    for alias in ("default", "keystore"):
        _stage(alias).clear()
    for scratch in settings.MINDSTAGE.data_dir.glob(f"{_SCRATCH}*"):
        shutil.rmtree(scratch)


def _stage(alias: str) -> Stage:
    configuration = settings.MINDSTAGE
    url, file = (
        (configuration.keystore_url, configuration.keystore_file)
        if alias == "keystore"
        else (configuration.database_url, configuration.database_file)
    )
    return SchemaStage(alias, url) if url else FileStage(alias, file)


@dataclass(frozen=True, slots=True)
class FileStage:
    """A file beside the live one, so that one rename is enough."""

    alias: str
    live: Path

    @property
    def path(self) -> Path:
        return self.live.with_name(f"{_SCRATCH}{self.live.name}")

    def clear(self) -> None:
        for path in (self.path, *siblings(self.path)):
            path.unlink(missing_ok=True)

    def fill(self, write: Callable[[Path], None]) -> None:
        write(self.path)

    @contextmanager
    def connected(self) -> Iterator[None]:
        connection = connections[self.alias]
        connection.close()
        close_vault()
        before, connection.settings_dict["NAME"] = connection.settings_dict["NAME"], str(self.path)
        try:
            _bring_up_to_date(self.alias)
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = before
            close_vault()
        _fold_log(self.path)

    def swap(self) -> None:
        """One rename. A log of the old file must be gone before it, or SQLite would apply it to the new one."""
        for alias in connections:
            connections[alias].close()
        if self.live.exists():
            try:
                _fold_log(self.live)
            except sqlite3.DatabaseError:
                pass  # it is damaged, which may be why it is replaced
        for path in siblings(self.live):
            path.unlink(missing_ok=True)
        self.path.replace(self.live)
        sync_folder(self.live.parent)
        close_vault()


@dataclass(frozen=True, slots=True)
class SchemaStage:
    """A schema beside `public` in the same database of a server."""

    alias: str
    url: str

    def clear(self) -> None:
        self._execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")

    def fill(self, write: Callable[[Path], None]) -> None:
        with tempfile.TemporaryDirectory(dir=settings.MINDSTAGE.data_dir, prefix=_SCRATCH) as scratch:
            plain = Path(scratch) / "backup"
            write(plain)
            connections[self.alias].close()
            put_beside(self.url, plain, schema=SCHEMA)

    @contextmanager
    def connected(self) -> Iterator[None]:
        self._execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        before = connections[self.alias].settings_dict["OPTIONS"]
        self._connect_anew({**before, "pool": False, "options": f"-c search_path={SCHEMA}"})
        try:
            _bring_up_to_date(self.alias)
            yield
        finally:
            self._connect_anew(before)

    def swap(self) -> None:
        """One transaction. Every other connection ends with it: it has read tables that are no more."""
        with transaction.atomic(using=self.alias):
            self._execute(
                "CREATE SCHEMA IF NOT EXISTS public",
                "DROP SCHEMA public CASCADE",
                f"ALTER SCHEMA {SCHEMA} RENAME TO public",
            )
        self._connect_anew(connections[self.alias].settings_dict["OPTIONS"])

    def _connect_anew(self, options: dict[str, object]) -> None:
        connection = connections[self.alias]
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # of PostgreSQL alone
        connection.settings_dict["OPTIONS"] = options
        close_vault()

    def _execute(self, *statements: str) -> None:
        with connections[self.alias].cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


def siblings(file: Path) -> list[Path]:
    """What SQLite keeps beside a database."""
    return [file.with_name(file.name + ending) for ending in _SIBLINGS]


def _bring_up_to_date(alias: str) -> None:
    call_command("migrate", database=alias, verbosity=0, interactive=False, skip_checks=True)


def _fold_log(file: Path) -> None:
    """Write a database's log into its file, so that one rename carries everything. Raises sqlite3.DatabaseError."""
    raw = sqlite3.connect(file)
    try:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()
