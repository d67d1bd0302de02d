"""What a person is promised is on the disk first; what need not wait for the disk begins before it is."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from django.db import DatabaseError, connection

from mindstage.stories.database_thread import DatabaseThread
from mindstage.stories.write_ahead import LogRefused, WriteAheadLog
from mindstage.vault import raw

pytestmark = [pytest.mark.django_db(transaction=True, databases=["default", "keystore"]), pytest.mark.sqlite]


class Disk:
    """Takes what is forced to it, and notes when, and which file; `full`: it refuses."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.files: set[int] = set()
        self.full = False

    def force(self, file: int) -> None:
        self.said.append("synced")
        self.files.add(os.fstat(file).st_ino)
        if self.full:
            raise OSError(errno.ENOSPC, "no room")
        os.fsync(file)

    def say(self, what: str) -> Callable[[object], None]:
        return lambda _: self.said.append(what)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@contextmanager
def thread_on(disk: Disk) -> Iterator[DatabaseThread]:
    started = DatabaseThread(log=WriteAheadLog(force=disk.force))
    started.start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def thread(transactional_db: None, disk: Disk) -> Iterator[DatabaseThread]:
    """A thread whose log lies on the disk of the test, and a table to write to."""
    raw.execute("CREATE TABLE notes (text TEXT NOT NULL)")
    with thread_on(disk) as started:
        yield started
    raw.execute("DROP TABLE notes")


def note() -> int:
    return raw.execute("INSERT INTO notes VALUES ('one')")


def database() -> Path:
    return Path(connection.settings_dict["NAME"])


def notes_elsewhere() -> int:
    with closing(sqlite3.connect(database())) as other:
        return int(other.execute("SELECT COUNT(*) FROM notes").fetchone()[0])


def test_it_begins_once_committed_and_is_told_once_synced(thread: DatabaseThread, disk: Disk) -> None:
    """Whatever begins finds the rows, also through another connection; the promise comes after the disk's own."""
    stored: list[int] = []

    def begin(_: int) -> None:
        stored.append(notes_elsewhere())
        disk.said.append("begun")

    thread.submit(note, begin=begin).result(5)
    disk.said.append("told")
    assert (stored, disk.said) == ([1], ["begun", "synced", "told"])


def test_on_a_loop_it_begins_before_the_caller_goes_on(thread: DatabaseThread, disk: Disk) -> None:
    async def wait() -> None:
        await thread.run(note, begin=disk.say("begun"))
        disk.said.append("told")

    asyncio.run(wait())
    assert [said for said in disk.said if said != "synced"] == ["begun", "told"]


def test_what_fails_begins_nothing(thread: DatabaseThread, disk: Disk) -> None:
    failed = thread.submit(lambda: raw.execute("INSERT INTO notes VALUES (NULL)"), begin=disk.say("begun"))
    assert isinstance(failed.exception(5), DatabaseError)
    assert disk.said == []


def test_what_is_promised_is_synced_and_parts_of_replies_are_not(thread: DatabaseThread, disk: Disk) -> None:
    """A part that is lost with the power is lost with a running reply; a batch that promises anything is synced."""
    thread.submit(note, acknowledges=False).result(5)
    assert disk.said == []
    thread.submit(note).result(5)
    assert disk.said == ["synced"]


def test_the_log_of_the_connection_is_what_is_synced(thread: DatabaseThread, disk: Disk) -> None:
    """Also after the connection was lost and another one took its place."""
    thread.submit(note).result(5)
    thread.submit(connection.close, acknowledges=False)
    thread.submit(note).result(5)
    assert disk.files == {database().with_name(f"{database().name}-wal").stat().st_ino}


def test_sqlite_itself_syncs_for_everybody_else(thread: DatabaseThread) -> None:
    """Only the thread that syncs by itself has told SQLite not to: pages and commands keep FULL (2)."""
    thread.submit(note).result(5)
    assert raw.query("PRAGMA synchronous") == [(2,)]
    assert thread.submit(lambda: raw.query("PRAGMA synchronous")).result(5) == [(1,)]


def test_a_disk_that_takes_nothing_is_told(thread: DatabaseThread, disk: Disk) -> None:
    """Nobody is promised what the disk refused, though it is committed: sent once more it is found again."""
    disk.full = True
    assert isinstance(thread.submit(note, begin=disk.say("begun")).exception(5), LogRefused)
    assert disk.said == ["begun", "synced"]
    disk.full = False
    thread.submit(note).result(5)
    assert notes_elsewhere() == 2


def test_without_a_file_handle_nothing_is_written(
    thread: DatabaseThread, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that cannot be opened is told before anything is written, and the next job opens it."""

    def no_handle(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", no_handle)
        assert isinstance(thread.submit(note).exception(5), DatabaseError)
    assert (notes_elsewhere(), disk.said) == (0, [])
    thread.submit(note).result(5)
    assert (notes_elsewhere(), disk.said) == (1, ["synced"])
