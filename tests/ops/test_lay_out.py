"""A new database file can give space back, and no connection has to wait to say so."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from mindstage.config.databases import database
from mindstage.ops.schema import lay_out_file

INCREMENTAL = 2


def test_a_new_file_gives_space_back_for_good(tmp_path: Path) -> None:
    """What is decided before the first table holds after it, for every later connection."""
    file = tmp_path / "new.sqlite3"
    lay_out_file(file)
    with sqlite3.connect(file) as first:
        first.execute("CREATE TABLE some (thing)")
    first.close()
    later = sqlite3.connect(file)
    assert later.execute("PRAGMA auto_vacuum").fetchone() == (INCREMENTAL,)
    later.close()


def test_a_file_that_is_there_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "old.sqlite3"
    file.write_bytes(b"")
    lay_out_file(file)
    assert file.read_bytes() == b""


def test_a_connection_opens_while_another_writes(tmp_path: Path) -> None:
    """A page's connection asks for nothing that waits for the write lock."""
    file = tmp_path / "busy.sqlite3"
    lay_out_file(file)
    opening = database("", file)["OPTIONS"]["init_command"]
    writer = sqlite3.connect(file, isolation_level=None)
    writer.executescript(opening)
    writer.execute("CREATE TABLE some (thing)")
    writer.execute("BEGIN IMMEDIATE")
    reader = sqlite3.connect(file, timeout=0)
    reader.executescript(opening)
    assert reader.execute("SELECT count(*) FROM some").fetchone() == (0,)
    reader.close()
    writer.close()
