"""One thread that owns one connection: the path of a turn and the parts of running replies go through it.

What is queued when the thread comes round is committed together (*group commit*): with one writer SQLite never answers
"database is locked" to a turn, and 32 turns at once cost one sync instead of 32. Each of several jobs stands in a
savepoint of its own, so that one that fails takes no other with it. What need not wait for the disk begins before the
sync (on SQLite, where that takes as long as all else before a provider is asked). docs/subsystems/one-turn.md
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.db import DatabaseError, connection, connections, transaction

from mindstage.stories.write_ahead import WriteAheadLog

BATCH = 128


class BatchLost(DatabaseError):
    """The database rolled a whole batch back in the middle of it, as SQLite may when the disk is full."""


type _Outcome = tuple[Any, BaseException | None]
"""A job's result, or what it failed with."""
type _Tell = Callable[[Any, BaseException | None], object]
"""Takes what came of a job, its result or what it failed with, to whoever waits. Called in the database thread."""


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    tell: _Tell
    acknowledges: bool
    begin: Callable[[Any], object] | None = None


class DatabaseThread:
    """Runs jobs in the order in which they were submitted. A job's result is delivered after its commit."""

    def __init__(self, *, log: WriteAheadLog | None = None) -> None:
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="database", daemon=True)
        self._log = log or WriteAheadLog()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, close the connection, end the thread."""
        self._queue.put(None)
        self._thread.join()

    def submit[T](
        self, work: Callable[[], T], *, acknowledges: bool = True, begin: Callable[[T], object] | None = None
    ) -> Future[T]:
        """Queue a job. `acknowledges`: its commit is synced to the disk before the result is delivered.

        `begin`: called with the result, in the database thread, once it is committed and before it is synced: for what
        follows in any case, whoever still waits, and whether or not the disk then takes it. It must be quick.
        """
        done: Future[T] = Future()
        self._queue.put(_Job(work, partial(_tell, done), acknowledges, begin))
        return done

    async def run[T](
        self, work: Callable[[], T], *, acknowledges: bool = True, begin: Callable[[T], object] | None = None
    ) -> T:
        """The same, awaited, and `begin` is called on the loop, before this returns.

        The job is done even when the caller is cancelled meanwhile.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        first = begin and partial(call_on, loop, begin)
        self._queue.put(_Job(work, partial(_tell_on, loop, done), acknowledges, first))
        try:
            return await done
        finally:
            del done  # a failure would hold this frame, and the frame the failure

    def _loop(self) -> None:
        goes_on = True
        while goes_on:
            jobs, goes_on = self._next_jobs()
            if jobs:
                self._commit(jobs)
        self._log.close()
        for alias in connections:
            connections[alias].close()

    def _next_jobs(self) -> tuple[list[_Job], bool]:
        """Wait for a job; it, and all that have come meanwhile; and whether there may be more."""
        job = self._queue.get()
        jobs: list[_Job] = []
        with contextlib.suppress(queue.Empty):
            while job is not None:
                jobs.append(job)
                if len(jobs) == BATCH:
                    break
                job = self._queue.get_nowait()
        return jobs, job is not None

    def _commit(self, jobs: list[_Job]) -> None:
        """Do them, tell what came of each, and forget them: they hold texts, cookies and keys."""
        outcomes: list[_Outcome] = []
        try:
            self._log.attend()
            with transaction.atomic():
                outcomes = [_attempt(job.work) for job in jobs] if len(jobs) > 1 else [(jobs[0].work(), None)]
                if connection.needs_rollback:  # SQLite undid the transaction by itself, so nothing of it was kept
                    raise BatchLost
            _begin_all(jobs, outcomes)
            if any(job.acknowledges for job in jobs):
                self._log.sync()
        except Exception as error:  # the whole commit failed (disk full, locked): nobody was told that it stands
            outcomes = [(None, error) for _ in jobs]
            connection.close_if_unusable_or_obsolete()
        _tell_all(jobs, outcomes)
        # Also for this: a failure holds this frame by its traceback, and a job whoever waits for the failure. That is a
        # ring, which would stay until Python looks for garbage.
        jobs.clear()
        outcomes.clear()


def _attempt(work: Callable[[], Any]) -> _Outcome:
    """Do one of several jobs in a savepoint of its own."""
    try:
        with transaction.atomic():
            return work(), None
    except Exception as error:
        return None, error


def _begin_all(jobs: list[_Job], outcomes: list[_Outcome]) -> None:
    for job, (result, failure) in zip(jobs, outcomes, strict=True):
        if job.begin is not None and failure is None:
            job.begin(result)


def _tell_all(jobs: list[_Job], outcomes: list[_Outcome]) -> None:
    for job, (result, failure) in zip(jobs, outcomes, strict=True):
        job.tell(result, failure)


def _tell(done: Future[Any], result: Any, failure: BaseException | None) -> None:
    """Tell a thread that waits, unless it has given up."""
    if done.set_running_or_notify_cancel():
        _settle(done, result, failure)


def _tell_on(
    loop: asyncio.AbstractEventLoop, done: asyncio.Future[Any], result: Any, failure: BaseException | None
) -> None:
    """Tell a task that waits on a loop: by one call, where a thread's own future would take three rounds of it."""
    call_on(loop, _arrive, done, result, failure)


def call_on(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *arguments: Any) -> None:
    """Call a function on a loop, from any thread."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(function, *arguments)


def _arrive(done: asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if not done.done():
        _settle(done, result, failure)


def _settle(done: Future[Any] | asyncio.Future[Any], result: Any, failure: BaseException | None) -> None:
    if failure is None:
        done.set_result(result)
    else:
        done.set_exception(failure)


_thread: DatabaseThread | None = None


def start_database_thread() -> DatabaseThread:
    """Start the thread of this process; called once, when the program opens."""
    global _thread
    _thread = DatabaseThread()
    _thread.start()
    return _thread


def stop_database_thread() -> None:
    global _thread
    if _thread is not None:
        _thread.stop()
        _thread = None


def database_thread() -> DatabaseThread:
    """The thread of this process. It must have been started."""
    return cast(DatabaseThread, _thread)
