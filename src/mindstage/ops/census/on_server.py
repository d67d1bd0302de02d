"""A census on a PostgreSQL server: databases of its own there, and what lies in them as files that a census reads.

A server keeps more than its rows: dead ones, a log ahead of its files, statistics. Where it runs on this machine, and
says where its files are, those are looked through too. docs/subsystems/census.md
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from mindstage.ops.census.hoard import DATABASE, KEYSTORE
from mindstage.ops.census.places import ON_SERVER
from mindstage.ops.census.sql_dump import write_database
from mindstage.ops.servers import ServerRefused, ask, dump_as_sql

_HERE: Final = ("", "localhost", "127.0.0.1", "::1")
_VALUES: Final = "The databases lie on a PostgreSQL server. Looked at: each value of each table of each schema"
_WITHOUT_FILES: Final = (
    f"{_VALUES}. Not looked at: the server's files (dead rows, its log ahead, statistics): they cannot be read here."
)
_WITH_FILES: Final = (
    f"{_VALUES}, and the server's files as they lie (dead rows too, and its log ahead since the census began). "
    "Not looked at: what it has compressed in them, a log in another folder, replicas, archives."
)


@dataclass(frozen=True, slots=True)
class Databases:
    """The two databases of one program under census. `server`: an address of the server, with any database of it."""

    server: str = field(repr=False)
    name: str = field(default_factory=lambda: f"mindstage_census_{secrets.token_hex(6)}")
    began: float = field(default_factory=time.time)
    copies: list[Databases] = field(default_factory=list)

    def make(self) -> None:
        """Raises ServerRefused, OSError."""
        for name in self.names():
            ask(self.server, f"CREATE DATABASE {name}")

    def copied(self) -> Databases:
        """The same in others; only while nothing is connected to these. Raises ServerRefused, OSError."""
        copy = replace(self, name=f"{self.name}_{len(self.copies)}", copies=[])
        self.copies.append(copy)
        for name, of in zip(copy.names(), self.names(), strict=True):
            ask(self.server, f"CREATE DATABASE {name} TEMPLATE {of}")
        return copy

    def drop(self) -> None:
        """With all copies, whoever is connected. Raises ServerRefused, OSError."""
        for copy in self.copies:
            copy.drop()
        for name in self.names():
            ask(self.server, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def names(self) -> tuple[str, str]:
        return self.name, f"{self.name}_keys"

    def environ(self) -> dict[str, str]:
        """What tells a program to use them."""
        main, keystore = map(self._address, self.names())
        return {"MINDSTAGE_DATABASE_URL": main, "MINDSTAGE_KEYSTORE_URL": keystore}

    def write_out(self, instance: Path) -> None:
        """All rows of now, as the files that an instance without a server has.

        Raises ServerRefused, OSError, sqlite3.Error.
        """
        for name, file in zip(self.names(), (DATABASE, KEYSTORE), strict=True):
            to, sql = instance / file, instance.parent / f"{name}.sql"
            to.parent.mkdir(parents=True, exist_ok=True)
            to.unlink(missing_ok=True)
            try:
                dump_as_sql(self._address(name), sql)
                write_database(sql, to)
            finally:
                sql.unlink(missing_ok=True)

    def read_elsewhere(self) -> Iterator[tuple[str, bytes]]:
        """Name and content of whatever else holds rows of these: the server's own files, where they can be read.

        Those of these databases and of what all share; of the log ahead what was written since the census began.
        """
        if (folder := self.find_folder()) is None:
            return
        with suppress(ServerRefused):  # what only memory has is in the log
            ask(self.server, "CHECKPOINT")
        for part in (*(f"base/{number}" for number in self._numbers()), "global", "pg_wal", "log"):
            for path in sorted((folder / part).rglob("*")):
                with suppress(FileNotFoundError, PermissionError):
                    if path.is_file() and (part != "pg_wal" or path.stat().st_mtime >= self.began):
                        yield f"{ON_SERVER}{path.relative_to(folder)}", path.read_bytes()

    def describe(self) -> str:
        """What of the server is looked at, for the report."""
        return _WITHOUT_FILES if self.find_folder() is None else _WITH_FILES

    def find_folder(self) -> Path | None:
        """Where the server's files lie, if on this machine and if they may be read."""
        host = urlsplit(self.server).hostname or ""
        if host not in _HERE:
            return None
        try:
            folder = Path(ask(self.server, "SHOW data_directory"))
            number = int(ask(self.server, "SELECT system_identifier FROM pg_control_system()"))
            own = int.from_bytes((folder / "global/pg_control").read_bytes()[:8], "little")
        except (ServerRefused, OSError, ValueError):
            return None
        return folder if own == number else None  # a server in a container names a folder of its own

    def _numbers(self) -> list[str]:
        names = ", ".join(f"'{name}'" for name in self.names())
        return ask(self.server, f"SELECT oid FROM pg_database WHERE datname IN ({names})").split()  # noqa: S608

    def _address(self, name: str) -> str:
        return urlsplit(self.server)._replace(path=f"/{name}").geturl()
