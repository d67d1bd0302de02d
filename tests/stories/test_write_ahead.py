"""What a person is promised is on the disk first; what need not wait for the disk begins before it is."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection

from mindstage.stories.database_thread import Begin, DatabaseThread
from mindstage.stories.write_ahead import LogRefused, WriteAheadLog
from mindstage.vault import raw

from .disks import Disk

pytestmark = [pytest.mark.django_db(transaction=True, databases=["default", "keystore"]), pytest.mark.sqlite]


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def thread(transactional_db: None, disk: Disk) -> Iterator[DatabaseThread]:
    """A thread whose log lies on the disk of the test, and a table to write to."""
    raw.execute("CREATE TABLE notes (text TEXT NOT NULL)")
    started = DatabaseThread(write_ahead=WriteAheadLog(force=disk.force))
    started.start()
    yield started
    disk.release()
    started.stop()
    raw.execute("DROP TABLE notes")


def note() -> str:
    raw.execute("INSERT INTO notes VALUES ('one')")
    return "noted"


def refuse() -> None:
    raw.execute("INSERT INTO notes VALUES (NULL)")


def begin(call: Callable[[Any], object], *, early: bool = True) -> Begin[Any]:
    return Begin(call, early=lambda _: early)


def database() -> Path:
    return Path(connection.settings_dict["NAME"])


def log_of(file: Path) -> Path:
    return file.with_name(f"{file.name}-wal")


def notes_elsewhere() -> int:
    with closing(sqlite3.connect(database())) as other:
        return int(other.execute("SELECT COUNT(*) FROM notes").fetchone()[0])


def test_it_begins_once_committed_and_is_told_once_synced(thread: DatabaseThread, disk: Disk) -> None:
    """Whatever begins finds the rows, also through another connection; the promise waits for the disk's own."""
    stored: list[int] = []
    disk.hold()
    done = thread.submit(note, begin=begin(lambda _: stored.append(notes_elsewhere())))
    assert disk.asked.wait(5)
    assert (stored, done.done()) == ([1], False)
    disk.release()
    assert done.result(5) == "noted"


def test_on_a_loop_the_caller_goes_on_after_the_sync(thread: DatabaseThread, disk: Disk) -> None:
    """What begins there begins while the disk is at it."""

    async def play() -> None:
        loop, begun = asyncio.get_running_loop(), asyncio.Event()
        disk.hold()
        told = asyncio.create_task(
            thread.run(note, begin=begin(lambda _: loop.call_soon_threadsafe(begun.set)))  # type: ignore[arg-type]
        )
        await asyncio.wait_for(begun.wait(), 5)
        assert await asyncio.to_thread(disk.asked.wait, 5)
        assert not told.done()
        disk.release()
        assert await told == "noted"

    asyncio.run(play())


def test_what_may_not_precede_the_sync_begins_after_it(thread: DatabaseThread, disk: Disk) -> None:
    """And nothing of its batch does: what one stores first, another of the same commit may lean on."""
    go = hold_up(thread)
    early = thread.submit(note, begin=begin(disk.say("early")))
    late = thread.submit(note, begin=begin(disk.say("late"), early=False))
    go.set()
    assert (early.result(5), late.result(5)) == ("noted", "noted")
    assert disk.said[-3:] == ["synced", "early", "late"]


def test_what_fails_begins_nothing(thread: DatabaseThread, disk: Disk) -> None:
    """Alone, and in a batch, where the others begin."""
    assert isinstance(thread.submit(refuse, begin=begin(disk.say("alone"))).exception(5), DatabaseError)
    go = hold_up(thread)
    failed = thread.submit(refuse, begin=begin(disk.say("failed")))
    done = thread.submit(note, begin=begin(disk.say("done")))
    go.set()
    assert isinstance(failed.exception(5), DatabaseError)
    assert done.result(5) == "noted"
    assert [said for said in disk.said if said != "synced"] == ["done"]


def test_what_cannot_begin_keeps_nobody_from_it(thread: DatabaseThread, disk: Disk) -> None:
    """The others begin, the commit is synced, and all are told."""

    def fail(_: object) -> None:
        raise ValueError

    go = hold_up(thread)
    first = thread.submit(note, begin=begin(fail))
    second = thread.submit(note, begin=begin(disk.say("second")))
    go.set()
    assert (first.result(5), second.result(5)) == ("noted", "noted")
    assert disk.said[-2:] == ["second", "synced"]


def test_what_is_promised_is_synced_and_parts_of_replies_are_not(thread: DatabaseThread, disk: Disk) -> None:
    """A part that is lost with the power is lost with a running reply; a batch that promises anything is synced."""
    thread.submit(note, acknowledges=False).result(5)
    assert disk.said == []
    go = hold_up(thread, acknowledges=False)
    thread.submit(note, acknowledges=False)
    promised = thread.submit(note)
    go.set()
    promised.result(5)
    assert disk.said == ["synced"]


def test_the_log_of_the_connection_is_what_is_synced(thread: DatabaseThread, disk: Disk) -> None:
    """Also after the connection was lost and another one took its place, for which SQLite syncs no more than before."""
    for _ in range(2):
        thread.submit(note).result(5)
        assert thread.submit(synchronous, acknowledges=False).result(5) == 1
        thread.submit(connection.close, acknowledges=False).exception(5)
    assert (disk.said, disk.files) == (["synced", "synced"], {log_of(database()).stat().st_ino})


def test_no_handle_is_left_open(thread: DatabaseThread) -> None:
    """Neither by a connection that was lost nor by a thread that has ended."""
    thread.submit(note).result(5)
    before = handles()
    for _ in range(3):
        thread.submit(connection.close, acknowledges=False).exception(5)
        thread.submit(note).result(5)
    other = DatabaseThread()
    other.start()
    other.submit(note).result(5)
    other.stop()
    assert handles() == before


def test_sqlite_itself_syncs_for_everybody_else(thread: DatabaseThread) -> None:
    """Only the thread that syncs by itself has told SQLite not to: pages and commands keep FULL (2)."""
    thread.submit(note).result(5)
    assert (synchronous(), thread.submit(synchronous).result(5)) == (2, 1)


def test_without_a_file_handle_sqlite_syncs(
    thread: DatabaseThread, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is refused for it, and it is tried again with the next commit."""

    def no_handle(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", no_handle)
        assert thread.submit(synchronous).result(5) == 2
    assert thread.submit(synchronous).result(5) == 1
    assert disk.said == ["synced"]


def test_the_log_is_found_where_a_link_leads(thread: DatabaseThread, tmp_path: Path, disk: Disk) -> None:
    """A database that is a link has its log beside what it leads to."""
    (tmp_path / "linked.sqlite3").symlink_to(database())

    def take_the_link() -> None:
        connection.settings_dict = {**connection.settings_dict, "NAME": str(tmp_path / "linked.sqlite3")}
        connection.close()

    thread.submit(take_the_link, acknowledges=False).exception(5)
    thread.submit(note).result(5)
    assert (disk.said, disk.files) == (["synced"], {log_of(database()).stat().st_ino})


def test_a_disk_that_takes_nothing_is_told(thread: DatabaseThread, disk: Disk) -> None:
    """Nobody is promised what the disk refused; who was refused before that, or promised nothing, hears no other."""
    disk.full = True
    go = hold_up(thread, acknowledges=False)
    failed, read = thread.submit(refuse), thread.submit(lambda: "read", acknowledges=False)
    promised = thread.submit(note, begin=begin(disk.say("begun")))
    go.set()
    assert isinstance(promised.exception(5), LogRefused)
    assert not isinstance(failed.exception(5), LogRefused)
    assert read.result(5) == "read"
    assert disk.said == ["begun", "synced"]


def test_what_the_disk_refused_is_made_good_before_anything_else(
    thread: DatabaseThread, disk: Disk, tmp_path: Path
) -> None:
    """A second sync would say yes and mean nothing. So the database is brought up to its log, or nobody is served."""
    thread.submit(lambda: raw.execute("PRAGMA busy_timeout = 50"), acknowledges=False).result(5)
    with closing(sqlite3.connect(database())) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM notes").fetchall()  # it keeps the log from going into the database
        disk.full = True
        assert isinstance(thread.submit(note).exception(5), LogRefused)
        disk.full = False
        for promises in (True, False):
            assert isinstance(thread.submit(note, acknowledges=promises).exception(5), DatabaseError)
    assert thread.submit(note).result(5) == "noted"
    assert disk.said == ["synced", "synced"]
    shutil.copy(database(), tmp_path / "without its log.sqlite3")
    with closing(sqlite3.connect(tmp_path / "without its log.sqlite3")) as alone:
        assert alone.execute("SELECT COUNT(*) FROM notes").fetchone() == (1,)


def test_what_waits_for_the_disk_begins_when_it_has_the_log(thread: DatabaseThread, disk: Disk) -> None:
    """Its act stands, so it is not forgotten, though nobody was told."""
    disk.full = True
    refused = thread.submit(note, begin=begin(disk.say("begun"), early=False))
    assert isinstance(refused.exception(5), LogRefused)
    assert disk.said == ["synced"]
    disk.full = False
    thread.submit(lambda: None, acknowledges=False).result(15)
    assert disk.said == ["synced", "begun"]


def hold_up(thread: DatabaseThread, *, acknowledges: bool = True) -> threading.Event:
    """Keep the thread busy until the event is set, so that what is queued meanwhile is one batch."""
    busy, go = threading.Event(), threading.Event()

    def wait() -> None:
        busy.set()
        go.wait(5)

    thread.submit(wait, acknowledges=acknowledges)
    assert busy.wait(5)
    return go


def synchronous() -> int:
    return int(raw.query("PRAGMA synchronous")[0][0])


def handles() -> int:
    """How many handles of this process lead to the log of the database."""
    log, found = log_of(database()).resolve(), 0
    for handle in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found += handle.readlink() == log
    return found
