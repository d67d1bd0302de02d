"""The small instance of `protocol.py`, its two databases on a PostgreSQL server.

What is a file elsewhere is a dump of its tables here: old ones are put back by filling the tables from it.
"""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar
from unittest import mock

from django.core.management import call_command
from django.db import connections

from mindstage.ops import backup, staging
from mindstage.vault.keys import close_vault
from mindstage.vault.start_check import Mode
from postgres_server import throwaway_databases
from vault.deeds import TABLES, sql
from vault.power import Power
from vault.protocol import Files, House, harness

ALIASES = {"D": "default", "K": "keystore"}
Dump = dict[str, tuple[list[str], list[tuple[Any, ...]]]]
"""Table -> its columns and rows."""
_MIGRATIONS = "django_migrations"


class Databases:
    """Two databases of a server, used by one house after another. `template` holds empty tables to be copied."""

    def __init__(self, urls: tuple[str, str]) -> None:
        import psycopg

        self.urls = dict(zip(ALIASES.values(), urls, strict=True))
        self._raw: dict[str, Any] = {alias: psycopg.connect(url, autocommit=True) for alias, url in self.urls.items()}
        for raw in self._raw.values():
            raw.execute(f"ALTER DATABASE {raw.info.dbname} SET synchronous_commit = off")
            raw.execute("SET synchronous_commit = off; SET client_min_messages = warning")

    def close(self) -> None:
        for raw in self._raw.values():
            raw.close()

    def connect(self) -> None:
        """Let the program use them, without a pool: to close one takes longer than most of the deeds here."""
        for alias in self.urls:
            connections[alias].close()
            connections[alias].close_pool()  # type: ignore[attr-defined]
            settings = connections[alias].settings_dict
            settings["NAME"], settings["OPTIONS"] = self._raw[alias].info.dbname, {}

    def keep_template(self) -> None:
        """Remember the tables as they stand, empty but for the list of migrations."""
        for alias, raw in self._raw.items():
            raw.execute("CREATE SCHEMA template")
            for table in self.tables(alias):
                raw.execute(f"CREATE TABLE template.{table} (LIKE public.{table} INCLUDING ALL)")
            raw.execute(f"INSERT INTO template.{_MIGRATIONS} SELECT * FROM public.{_MIGRATIONS}")

    def tables(self, alias: str, schema: str = "public") -> list[str]:
        rows = self._raw[alias].execute("SELECT tablename FROM pg_tables WHERE schemaname = %s ORDER BY 1", [schema])
        return [row[0] for row in rows]

    def make_tables(self, alias: str, schema: str) -> None:
        """In place of the migrations: a schema without tables gets those of the template."""
        if not self.tables(alias, schema):
            for table in self.tables(alias, "template"):
                make = f"CREATE TABLE {schema}.{table} (LIKE template.{table} INCLUDING ALL)"
                self._raw[alias].execute(make)
            self._raw[alias].execute(f"INSERT INTO {schema}.{_MIGRATIONS} SELECT * FROM template.{_MIGRATIONS}")

    def dump(self, alias: str) -> Dump | None:
        """All rows of one moment; None when there are no tables."""
        raw, found = self._raw[alias], {}
        with raw.transaction():
            raw.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for table in self.tables(alias):
                if table != _MIGRATIONS:
                    cursor = raw.execute(f"SELECT * FROM public.{table} ORDER BY 1")
                    found[table] = ([column.name for column in cursor.description], cursor.fetchall())
        return found or None

    def put_back(self, alias: str, dump: Dump | None, schema: str = "public") -> None:
        raw = self._raw[alias]
        if dump is None:
            raw.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE; CREATE SCHEMA {schema}")
            return
        self.make_tables(alias, schema)
        with raw.transaction():
            raw.execute("; ".join(f"DELETE FROM {schema}.{table}" for table in dump))
            for table, (columns, rows) in dump.items():
                values = f"({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
                raw.cursor().executemany(f"INSERT INTO {schema}.{table} {values}", rows)

    @contextmanager
    def quick_dumps(self) -> Iterator[None]:
        """In place of pg_dump and pg_restore: each takes a tenth of a second. tests/system runs them."""

        def dump(url: str, path: Path) -> None:
            path.write_bytes(pickle.dumps(self.dump(self._alias_of(url))))

        def put_beside(url: str, path: Path, *, schema: str) -> None:
            alias = self._alias_of(url)
            self.put_back(alias, None, schema)
            self.put_back(alias, pickle.loads(path.read_bytes()), schema)

        with mock.patch.object(backup, "dump", dump), mock.patch.object(staging, "put_beside", put_beside):
            yield

    def _alias_of(self, url: str) -> str:
        return next(alias for alias, known in self.urls.items() if known == url)


@dataclass
class ServerHouse(House):
    """One instance in `root`, but for its databases."""

    databases: Databases = field(kw_only=True)

    @property
    def configuration(self) -> Any:
        urls = self.databases.urls
        return replace(super().configuration, database_url=urls["default"], keystore_url=urls["keystore"])

    def unplug(self) -> None:
        """Connections stay: what is put back on a server, they see."""
        close_vault()

    def move_in(self) -> None:
        super().move_in()
        self.databases.connect()

    def read(self, name: str) -> Any:
        return self.databases.dump(ALIASES[name]) if name in ALIASES else super().read(name)

    def write(self, name: str, content: Any) -> None:
        if name in ALIASES:
            self.databases.put_back(ALIASES[name], content)
        else:
            super().write(name, content)

    @contextmanager
    def clone(self) -> Iterator[None]:
        with super().clone():
            before = {name: self.read(name) for name in ALIASES}
            try:
                yield
            finally:
                self.put(before, "DK")


@dataclass(frozen=True)
class ServerTemplate:
    """A founded house to be copied for each test."""

    nights: ClassVar = (1, 1, 2, 8, 8, 8, 31)

    folder: Path
    databases: Databases
    dumps: Files = field(default_factory=dict)

    def new_house(self, place: Path, power: Power) -> House:
        shutil.copytree(self.folder / "house", place / "house")
        house = ServerHouse(place / "house", power, databases=self.databases)
        house.move_in()
        house.put(self.dumps, "DK")
        return house

    def quick_dumps(self) -> AbstractContextManager[None]:
        return self.databases.quick_dumps()

    @property
    def make_tables(self) -> Callable[..., None]:
        def migrate(_command: str, *, database: str, **_: Any) -> None:
            staged = "options" in connections[database].settings_dict["OPTIONS"]
            self.databases.make_tables(database, "restoring" if staged else "public")

        return migrate


@contextmanager
def server_template(server: str, folder: Path) -> Iterator[ServerTemplate]:
    """Two databases that end with the block, and a founded house in them."""
    with throwaway_databases(server) as urls:
        databases, power = Databases(urls), Power()
        with harness(None, power):
            house = ServerHouse(folder / "house", power, databases=databases)
            house.make_folders()
            house.move_in()
            for room in ("ledger", "ops"):
                call_command("migrate", room, database="default", verbosity=0)
            call_command("migrate", "vault", database="keystore", verbosity=0)
            for table in TABLES:
                sql(table.replace("BLOB", "BYTEA"))
            databases.keep_template()
            assert house.start() is Mode.OPEN
            house.unplug()
            dumps = {name: house.read(name) for name in ALIASES}
        try:
            yield ServerTemplate(folder, databases, dumps)
        finally:
            databases.close()
