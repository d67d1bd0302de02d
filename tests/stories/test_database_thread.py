"""The database thread: in order, one commit for many, and no job harms another."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from typing import Any

import pytest
from django.db import DatabaseError, connection

from mindstage.stories.database_thread import DatabaseThread
from mindstage.vault import raw

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "keystore"])


@pytest.fixture
def thread(transactional_db: None) -> Iterator[DatabaseThread]:
    """A thread, and a table to write to."""
    write("CREATE TABLE notes (text TEXT NOT NULL UNIQUE)")
    started = DatabaseThread()
    started.start()
    yield started
    started.stop()
    write("DROP TABLE notes")


def write(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def note(text: str) -> Callable[[], str]:
    """A job that writes one row and gives its text back."""

    def job() -> str:
        write(f"INSERT INTO notes VALUES ('{text}')")
        return text

    return job


def notes() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT text FROM notes ORDER BY rowid")
        return [row[0] for row in cursor.fetchall()]


def hold(thread: DatabaseThread) -> threading.Event:
    """Keep the thread busy until the event is set."""
    busy, go = threading.Event(), threading.Event()

    def wait() -> None:
        busy.set()
        go.wait(5)

    thread.submit(wait)
    assert busy.wait(5)
    return go


def in_one_batch(thread: DatabaseThread, *jobs: Callable[[], Any]) -> list[Future[Any]]:
    """Queue jobs while the thread is busy, so that it finds them all at once."""
    go = hold(thread)
    queued = [thread.submit(job) for job in jobs]
    go.set()
    for future in queued:
        future.exception(5)
    return queued


@pytest.mark.sqlite
def test_who_has_left_ends_no_job_and_no_thread(thread: DatabaseThread) -> None:
    """A job of a caller who was cancelled, of one who gave up, and of one whose loop is gone is done all the same."""
    go = hold(thread)

    async def leave() -> None:
        leaving = asyncio.create_task(thread.run(note("cancelled")))
        asyncio.create_task(thread.run(note("loop gone")))  # noqa: RUF006 - nobody is to wait for it
        await asyncio.sleep(0)
        leaving.cancel()

    asyncio.run(leave())
    assert thread.submit(note("given up")).cancel()
    go.set()
    assert thread.submit(note("last")).result(5) == "last"
    assert notes() == ["cancelled", "loop gone", "given up", "last"]


@pytest.mark.sqlite
def test_a_task_that_has_left_is_told_nothing(thread: DatabaseThread) -> None:
    """Its job is done, and the loop hears no complaint."""
    heard: list[object] = []

    async def leave() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
        go = hold(thread)
        leaving = asyncio.create_task(thread.run(note("left")))
        await asyncio.sleep(0)
        leaving.cancel()
        go.set()
        assert await thread.run(note("stayed")) == "stayed"

    asyncio.run(leave())
    assert (notes(), heard) == (["left", "stayed"], [])


class Held:
    """Something that a job holds: a text, a cookie, a key."""


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("awaited", [False, True])
def test_a_thread_that_waits_holds_nothing_of_its_jobs(
    thread: DatabaseThread, *, jobs: int, fails: bool, awaited: bool
) -> None:
    """Neither what they were given nor what came of them, also after a failure, and without a look for garbage."""

    def make_job() -> tuple[Callable[[], Held], weakref.ref[Held]]:
        held = Held()

        def job() -> Held:
            if fails:
                raise ValueError
            return held

        return job, weakref.ref(held)

    async def wait(job: Callable[[], Held]) -> bool:
        try:
            return await thread.run(job) is None
        except ValueError:
            return True

    def run() -> list[weakref.ref[Held]]:
        made = [make_job() for _ in range(jobs)]
        if awaited:
            failed = [asyncio.run(wait(job)) for job, _ in made]
        else:
            failed = [bool(future.exception(5)) for future in in_one_batch(thread, *(job for job, _ in made))]
        assert failed == [fails] * jobs
        return [ref for _, ref in made]

    gc.disable()
    try:
        held = run()
        assert thread.submit(lambda: None).result(5) is None
        assert [ref() for ref in held] == [None] * jobs
    finally:
        gc.enable()


@pytest.mark.sqlite
def test_a_row_that_cannot_be_read_holds_nobody_up(thread: DatabaseThread) -> None:
    """Its job fails; whoever writes next, elsewhere and then here, is not told that the database is locked."""
    raw.execute("INSERT INTO notes VALUES (CAST(x'ff' AS TEXT))")
    failed = thread.submit(lambda: raw.query("SELECT text FROM notes"))
    assert isinstance(failed.exception(5), DatabaseError)
    raw.execute("UPDATE notes SET text = 'mended'")
    assert thread.submit(note("next")).result(5) == "next"


@pytest.mark.sqlite
def test_results_come_after_the_commit_in_order(thread: DatabaseThread) -> None:
    """What a result promises is on the disk when it arrives, for another connection to see."""
    for number in range(5):
        assert thread.submit(note(f"n{number}")).result(5) == f"n{number}"
        assert notes()[-1] == f"n{number}"
    done = in_one_batch(thread, *(note(f"b{number}") for number in range(40)))
    assert [future.result() for future in done] == [f"b{number}" for number in range(40)]
    assert notes()[5:] == [f"b{number}" for number in range(40)]


@pytest.mark.sqlite
def test_a_batch_is_one_commit(thread: DatabaseThread) -> None:
    """Jobs that wait together are in one transaction: a later one sees an earlier one before anybody else does."""
    seen: list[list[str]] = []

    def look() -> None:
        seen.append(notes())
        with closing(sqlite3.connect(str(connection.settings_dict["NAME"]))) as other:
            seen.append([row[0] for row in other.execute("SELECT text FROM notes")])

    in_one_batch(thread, note("one"), look, note("two"))
    assert seen == [["one"], []]
    assert notes() == ["one", "two"]


@pytest.mark.sqlite
def test_a_job_that_fails_takes_no_other_with_it(thread: DatabaseThread) -> None:
    """Its own writes are undone, its error is its own, all others are stored."""

    def half_done() -> None:
        write("INSERT INTO notes VALUES ('half')")
        raise RuntimeError("no further")

    one, half, double, two = in_one_batch(thread, note("one"), half_done, note("one"), note("two"))
    assert (one.result(), two.result()) == ("one", "two")
    assert isinstance(half.exception(), RuntimeError)
    assert isinstance(double.exception(), DatabaseError)
    assert notes() == ["one", "two"]


@pytest.mark.sqlite
def test_nobody_is_told_of_a_batch_that_was_undone(thread: DatabaseThread) -> None:
    """When the database gives a whole batch up in its middle, no job of it is acknowledged; the next batch works."""

    def give_up() -> None:
        write("ROLLBACK")  # what SQLite does by itself on a full disk
        raise DatabaseError("disk full")

    for future in in_one_batch(thread, note("one"), give_up, note("two")):
        assert isinstance(future.exception(), DatabaseError)
    assert notes() == []
    assert thread.submit(note("three")).result(5) == "three"
    assert notes() == ["three"]


def test_stop_finishes_what_is_queued(transactional_db: None) -> None:
    """Nothing that was submitted before the end is dropped."""
    thread = DatabaseThread()
    done = [thread.submit(lambda number=number: number) for number in range(300)]  # type: ignore[misc]
    thread.start()
    thread.stop()
    assert [future.result(0) for future in done] == list(range(300))


def test_a_caller_who_gave_up_harms_nothing(thread: DatabaseThread) -> None:
    """A result that nobody waits for any more is passed over, and the thread lives."""
    busy = threading.Event()
    thread.submit(lambda: busy.wait(5))
    thread.submit(note("one")).cancel()
    busy.set()
    assert thread.submit(note("two")).result(5) == "two"
