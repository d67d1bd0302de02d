"""One thread that owns one connection: the path of a turn and the parts of running replies go through it.

What is queued when the thread comes round is committed together (*group commit*): with one writer SQLite never answers
"database is locked" to a turn, and 32 turns at once cost one sync instead of 32. Each of several jobs stands in a
savepoint of its own, so that one that fails takes no other with it. On SQLite, what need not wait for the disk begins
between a commit and its sync, which takes a quarter of a turn. docs/subsystems/one-turn.md, docs/decisions/0014
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from django.db import DatabaseError, connection, connections, transaction

from mindstage.kit.loops import call_on
from mindstage.stories.write_ahead import LogRefused, WriteAheadLog

log = logging.getLogger(__name__)

BATCH = 128


class BatchLost(DatabaseError):
    """The database rolled a whole batch back in the middle of it, as SQLite may when the disk is full."""


type _Outcome = tuple[Any, BaseException | None]
"""A job's result, or what it failed with."""
type _Tell = Callable[[Any, BaseException | None], object]
"""Takes what came of a job, its result or what it failed with, to whoever waits. Called in the database thread."""


@dataclass(frozen=True, slots=True)
class Begin[T]:
    """What follows a job once its commit stands, whoever still waits for its result.

    `call` is called with the result, in the database thread: it must be quick. `early` says of the result whether it
    may begin before the disk has the commit.
    """

    call: Callable[[T], object]
    early: Callable[[T], bool]


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    tell: _Tell
    acknowledges: bool
    begin: Begin[Any] | None = None


class DatabaseThread:
    """Runs jobs in the order in which they were submitted. A job's result is delivered after its commit."""

    def __init__(self, *, write_ahead: WriteAheadLog | None = None) -> None:
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._loop, name="database", daemon=True)
        self._log = write_ahead or WriteAheadLog()
        self._held: list[tuple[Begin[Any], Any]] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what is queued, close the connection, end the thread."""
        self._queue.put(None)
        self._thread.join()

    def submit[T](
        self, work: Callable[[], T], *, acknowledges: bool = True, begin: Begin[T] | None = None
    ) -> Future[T]:
        """Queue a job. `acknowledges`: its commit is synced to the disk before the result is delivered."""
        done: Future[T] = Future()
        self._queue.put(_Job(work, partial(_tell, done), acknowledges, begin))
        return done

    async def run[T](self, work: Callable[[], T], *, acknowledges: bool = True, begin: Begin[T] | None = None) -> T:
        """The same, awaited. The job is done even when the caller is cancelled meanwhile."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Job(work, partial(_tell_on, loop, done), acknowledges, begin))
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
        except Exception as error:  # the whole commit failed (disk full, locked): nothing stands
            outcomes = [(None, error) for _ in jobs]
            connection.close_if_unusable_or_obsolete()
        else:
            outcomes = self._promise(jobs, outcomes)
        _tell_all(jobs, outcomes)
        # Also for this: a failure holds this frame by its traceback, and a job whoever waits for the failure. That is a
        # ring, which would stay until Python looks for garbage.
        jobs.clear()
        outcomes.clear()

    def _promise(self, jobs: list[_Job], outcomes: list[_Outcome]) -> list[_Outcome]:
        """Sync what was promised, and let begin what follows: before the sync where all of it may, else after it.

        While the disk refuses, what may not precede it waits; a promise to somebody becomes the refusal.
        """
        self._held += [
            (job.begin, result)
            for job, (result, failure) in zip(jobs, outcomes, strict=True)
            if job.begin is not None and failure is None
        ]
        if all(begin.early(result) for begin, result in self._held):
            self._begin_held()
        if any(job.acknowledges for job in jobs):
            try:
                self._log.sync()
            except LogRefused as refusal:
                log.exception("the disk did not take a commit")
                outcomes = [
                    (None, refusal) if job.acknowledges and failure is None else (result, failure)
                    for job, (result, failure) in zip(jobs, outcomes, strict=True)
                ]
        if not self._log.owes:
            self._begin_held()
        return outcomes

    def _begin_held(self) -> None:
        held, self._held = self._held, []
        for begin, result in held:
            try:
                begin.call(result)
            except Exception:  # one that does not begin keeps neither the others nor the sync
                log.exception("what follows a commit did not begin")


def _attempt(work: Callable[[], Any]) -> _Outcome:
    """Do one of several jobs in a savepoint of its own."""
    try:
        with transaction.atomic():
            return work(), None
    except Exception as error:
        return None, error


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
