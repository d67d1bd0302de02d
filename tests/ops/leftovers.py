"""Files in which SQLite left something of a deleted row behind, for the tests of what is done about it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mindstage.config.databases import database
from mindstage.ops.schema import lay_out_file

OWNERS = 40
ROWS = 1_000
BATCH = 20


@dataclass
class Lived:
    """A file in which people were erased while others wrote. Its connection is one as the program has them."""

    file: Path
    connection: sqlite3.Connection
    gone: set[str]
    """Identifiers that stand in no row."""

    def left(self, file: Path | None = None) -> int:
        """How many of them are still somewhere in the bytes of this file, or of another."""
        content = (file or self.file).read_bytes()
        return sum(ident.encode() in content for ident in self.gone)


@contextmanager
def live(file: Path, seed: int) -> Iterator[Lived]:
    """Rows of many owners with an index, as the program's tables have it; half of the owners go, in batches."""
    lay_out_file(file)
    connection = sqlite3.connect(file, isolation_level=None)
    connection.executescript(database("", file)["OPTIONS"]["init_command"])
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE rows (id char(32) NOT NULL PRIMARY KEY, owner char(32) NOT NULL)")
    connection.execute("CREATE INDEX rows_by_owner ON rows (owner)")
    chance = random.Random(seed)
    owners = [_ident(chance) for _ in range(OWNERS)]
    with connection:
        connection.execute("BEGIN")
        for _ in range(ROWS):
            connection.execute("INSERT INTO rows VALUES (?, ?)", (_ident(chance), chance.choice(owners)))
        before = _idents(connection)
        for owner in owners[::2]:
            while batch := connection.execute("SELECT id FROM rows WHERE owner = ? LIMIT ?", (owner, BATCH)).fetchall():
                connection.executemany("DELETE FROM rows WHERE id = ?", batch)
                connection.execute("INSERT INTO rows VALUES (?, ?)", (_ident(chance), chance.choice(owners[1::2])))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    try:
        yield Lived(file, connection, before - _idents(connection))
    finally:
        connection.close()


def _ident(chance: random.Random) -> str:
    return chance.randbytes(16).hex()


def _idents(connection: sqlite3.Connection) -> set[str]:
    return {ident for row in connection.execute("SELECT id, owner FROM rows") for ident in row}
