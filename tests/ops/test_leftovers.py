"""What SQLite leaves behind of deleted rows is gone from the file after the daily care, and never in a backup."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from django.db import OperationalError, connections

from mindstage.ops import tidying
from mindstage.ops.backup import copy_file
from mindstage.ops.schema import lay_out_file
from mindstage.ops.tidying import tidy_file
from ops.leftovers import Lived, live

SEEDS = 60
MANY_PAGES = 3_000
MOST_WRITES = 30_000
"""Far more than are done while 12 MB are copied."""


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[Lived]:
    """The first of some files in which something was left; about every fifth is one."""
    for seed in range(SEEDS):
        with live(tmp_path / f"{seed}.sqlite3", seed) as lived:
            if lived.left():
                yield lived
                return
    pytest.fail("SQLite left nothing behind in any file: this proves nothing any more.")


@pytest.mark.django_db(databases=["default", "keystore"])
def test_whoever_writes_overwrites_what_they_delete() -> None:
    """`secure_delete` is on, which also overwrites freed pages; FAST would not."""
    for alias in ("default", "keystore"):
        if connections[alias].vendor == "sqlite":
            with connections[alias].cursor() as cursor:
                assert cursor.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_the_daily_care_leaves_nothing_behind(lived: Lived) -> None:
    """The file is rewritten, its log too, and it still gives space back."""
    tidy_file(lived.connection.cursor())
    assert lived.left() == 0
    assert not lived.file.with_name(f"{lived.file.name}-wal").stat().st_size
    assert lived.connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)


def test_a_large_file_is_not_rewritten(lived: Lived, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes would wait for it: what is left stays, as the documents say."""
    monkeypatch.setattr(tidying, "LARGEST", 0)
    before = lived.left()
    tidy_file(lived.connection.cursor())
    assert lived.left() == before


def refuse_new_files(lived: Lived) -> None:
    """Rewriting a file begins with another one beside it: as on a disk that is full."""

    def answer(action: int, *_: object) -> int:
        return sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_ATTACH else sqlite3.SQLITE_OK

    lived.connection.set_authorizer(answer)


def test_a_file_that_cannot_be_rewritten_still_gives_space_back(lived: Lived) -> None:
    """Its log is emptied and freed pages go back to the disk; and the clock hears that it was not all."""
    lived.connection.execute("CREATE TABLE much AS SELECT zeroblob(1000000)")
    lived.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    lived.connection.execute("DELETE FROM much")
    before = lived.file.stat().st_size
    refuse_new_files(lived)
    with pytest.raises(sqlite3.DatabaseError):
        tidy_file(lived.connection.cursor())
    assert lived.connection.execute("PRAGMA freelist_count").fetchone() == (0,)
    lived.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert lived.file.stat().st_size < before - 900_000


@pytest.mark.sqlite
@pytest.mark.django_db(databases=["default", "keystore"])
def test_both_files_are_looked_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong with the first keeps nothing from the second."""
    tried = []

    def fail(_cursor: object) -> None:
        tried.append(1)
        raise OperationalError

    monkeypatch.setattr(tidying, "tidy_file", fail)
    with pytest.raises(OperationalError):
        tidying.tidy_database()
    assert len(tried) == 2


def test_a_backup_holds_rows_only(lived: Lived, tmp_path: Path) -> None:
    """What was left behind in the file is not in a copy of it, and the copy gives space back as well."""
    copy = tmp_path / "copy"
    copy_file(lived.file, copy)
    assert lived.left(copy) == 0
    with closing(sqlite3.connect(copy)) as opened:
        assert opened.execute("PRAGMA auto_vacuum").fetchone() == (2,)
        rows = "SELECT * FROM rows ORDER BY id"
        assert opened.execute(rows).fetchall() == lived.connection.execute(rows).fetchall()


def test_a_backup_ends_while_others_write(tmp_path: Path) -> None:
    """Somebody who writes without a pause does not hold it up: the copy is done before their last line."""
    file, copied = tmp_path / "busy.sqlite3", threading.Event()
    lay_out_file(file)
    wrote = 0
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("CREATE TABLE much (content BLOB)")
        connection.execute("CREATE TABLE lines (number INTEGER)")
        with connection:
            connection.executemany("INSERT INTO much VALUES (?)", ((bytes(4_000),) for _ in range(MANY_PAGES)))

    def write() -> None:
        nonlocal wrote
        with closing(sqlite3.connect(file, isolation_level=None)) as writer:
            writer.execute("PRAGMA synchronous = OFF")
            while not copied.is_set() and wrote < MOST_WRITES:
                writer.execute("INSERT INTO lines VALUES (?)", (wrote,))
                wrote += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        copy_file(file, tmp_path / "copy")
    finally:
        copied.set()
        thread.join()
    assert wrote < MOST_WRITES
    with closing(sqlite3.connect(tmp_path / "copy")) as opened:
        assert opened.execute("SELECT count(*) FROM much").fetchone() == (MANY_PAGES,)
