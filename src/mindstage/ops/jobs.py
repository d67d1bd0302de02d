"""Jobs: `django.tasks` on a table of our own that can hold identifiers and nothing else. docs/decisions/0006.

A deed is run at least once, so it must be harmless to repeat.
"""

from __future__ import annotations

import logging
import threading
import uuid
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import SuspiciousOperation
from django.db.models import Q
from django.tasks.backends.base import BaseTaskBackend
from django.tasks.base import Task, TaskResult, TaskResultStatus
from django.utils.module_loading import import_string

from mindstage.accounts.access_counts import store_counts
from mindstage.kit import clock
from mindstage.kit.acting import PROGRAM, acting_as
from mindstage.ops.models import Job

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=15)
"""A job that has been running for longer belonged to a worker that was killed, and is given out again."""
MOST_ATTEMPTS: Final = 5
WORKER_ENDED: Final = "WorkerEnded"
"""The problem of a job whose every worker ended in the middle of it: out of memory, or killed."""
GIVEN_UP: Final = "_given_up"
"""A task's module may have a function of the task's name and this, with the same arguments, harmless to repeat."""
QUICK_LOOK: Final = timedelta(minutes=2)
"""When a room is told again that could not be told of a job's end."""
LONGEST_WAIT: Final = max(LEASE, timedelta(minutes=2 ** (MOST_ATTEMPTS - 1)))
"""A job that is due later than this was put down while the wall clock was ahead; it is due now."""
KEPT_FAILED: Final = timedelta(days=30)
EVERY: Final = Q()
_storing = threading.Lock()


class NotAnIdentifier(Exception):
    """A job was given something else than identifiers. What it was is not repeated here."""


class JobBackend(BaseTaskBackend):
    """The backend of `django.tasks`: one row per job, within the caller's transaction."""

    def enqueue(self, task: Task[Any, Any], args: Any, kwargs: Any) -> TaskResult[Any, Any]:
        """Add a job. Raises NotAnIdentifier, django.tasks.exceptions.InvalidTask."""
        self.validate_task(task)
        job = Job(task=task.module_path, subjects=_only_identifiers(args, kwargs))
        job.save(force_insert=True)
        return TaskResult(
            task=task,
            id=str(job.id),
            status=TaskResultStatus.READY,
            enqueued_at=clock.now(),
            started_at=None,
            finished_at=None,
            last_attempted_at=None,
            args=job.subjects,
            kwargs={},
            backend=self.alias,
            errors=[],
            worker_ids=[],
        )


def run_next_job(which: Q = EVERY) -> bool:
    """Claim the job that has waited longest, of those that `which` names, and run it; False when none is due."""
    job = claim_job(which)
    if job is None:
        return False
    try:
        with acting_as(PROGRAM):
            _task(job.task).call(*job.subjects)
        store_openings()  # of this job, before it is gone: this process may end next
    except Exception as error:  # any fault of a deed is the job's, never the worker's
        put_back(job, problem=type(error).__name__)
    else:
        Job.objects.filter(pk=job.pk).delete()
    return True


def store_openings() -> None:
    """Store who opened what. One lane at a time: another that finds nothing left to store knows that it is stored."""
    with _storing:
        store_counts()


def claim_job(which: Q = EVERY) -> Job | None:
    """Take one job that is due, by one conditional UPDATE: of two workers only one gets it.

    One that has been given out as often as any, and came back from no worker, is given out no more: it would end the
    next one, too.
    """
    now = clock.now()
    open_ones = Job.objects.filter(which, state__in=(Job.State.WAITING, Job.State.RUNNING))
    due = open_ones.filter(Q(due_at__lte=now) | Q(due_at__gt=now + LONGEST_WAIT))
    while (job := due.order_by("due_at").first()) and job.attempts >= MOST_ATTEMPTS:
        put_back(job, problem=WORKER_ENDED)
    if job is None:
        return None
    seen = due.filter(pk=job.pk, attempts=job.attempts)
    job.attempts += 1
    if not seen.update(state=Job.State.RUNNING, due_at=now + LEASE, attempts=job.attempts):
        return None
    return job


def put_back(job: Job, *, problem: str) -> None:
    """Try again later, each time twice as late. After the last attempt it stays as failed, and its room hears of it."""
    over = job.attempts >= MOST_ATTEMPTS
    failed = over and _tell_of_end(job)
    wait = timedelta(0) if failed else QUICK_LOOK if over else timedelta(minutes=2**job.attempts)
    logger.warning("The job %s failed (%s), attempt %d.", job.task, problem, job.attempts)
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.FAILED if failed else Job.State.WAITING, due_at=clock.now() + wait, problem=problem[:100]
    )


def _tell_of_end(job: Job) -> bool:
    """Call what the job's room wants done when it is given up: `make_export_given_up` beside `make_export`.

    False where that fails: it is called again when the job is due again, so that nobody waits for a job that is gone.
    """
    try:
        deed = import_string(f"{job.task}{GIVEN_UP}")
    except ImportError:
        return True
    try:
        with acting_as(PROGRAM):
            deed(*job.subjects)
    except Exception as error:  # as of any deed
        logger.warning("What follows the end of the job %s failed (%s).", job.task, type(error).__name__)
        return False
    return True


def give_back_running_jobs() -> int:
    """For a worker that knows it is alone: what still runs was left by one that was killed. Returns how many."""
    return Job.objects.filter(state=Job.State.RUNNING).update(state=Job.State.WAITING, due_at=clock.now())


def purge_failed_jobs() -> int:
    """Delete the failed jobs whose 30 days are over; returns how many."""
    now, failed = clock.now(), Job.objects.filter(state=Job.State.FAILED)
    failed.filter(due_at__gt=now).update(due_at=now)  # the wall was ahead; nothing stays the longer for it
    return failed.filter(due_at__lt=now - KEPT_FAILED).delete()[0]


def _task(path: str) -> Task[Any, Any]:
    task = import_string(path)
    if not isinstance(task, Task):
        raise SuspiciousOperation
    return task


def _only_identifiers(args: Any, kwargs: Any) -> list[str | int]:
    if kwargs:
        raise NotAnIdentifier
    return [value if isinstance(value, int) else str(_uuid(value)) for value in args]


def _uuid(value: Any) -> uuid.UUID:
    try:
        return value if isinstance(value, uuid.UUID) else uuid.UUID(str(value))
    except ValueError:
        raise NotAnIdentifier from None
