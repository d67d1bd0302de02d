"""Jobs: identifiers alone, at least once, and nothing kept of a failure but its type."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from mindstage.accounts.access_counts import AccessCount, store_counts
from mindstage.kit import clock
from mindstage.ops.jobs import (
    LEASE,
    LONGEST_WAIT,
    MOST_ATTEMPTS,
    NotAnIdentifier,
    claim_job,
    give_back_running_jobs,
    purge_failed_jobs,
    run_next_job,
)
from mindstage.ops.models import Job
from mindstage.vault.purposes import Purpose
from ops import tasks_of_tests
from ops.tasks_of_tests import DONE, fall, note, open_for_somebody
from people import make_person

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(databases=["default", "keystore"])
def test_what_a_job_opened_is_counted_before_the_job_is_gone(vault: None) -> None:
    """The worker may be ended right after it; nobody else knows what it has opened."""
    ada = make_person("ada")
    store_counts()
    AccessCount.objects.all().delete()
    open_for_somebody.enqueue(ada.pk)
    assert run_next_job()
    assert [(row.owner, row.purpose) for row in AccessCount.objects.all()] == [(ada.pk, Purpose.NOTIFY)]


@pytest.fixture(autouse=True)
def nothing_done() -> Iterator[None]:
    """No deed of another test is remembered."""
    DONE.clear()
    yield
    DONE.clear()


def test_a_job_is_run_once_and_gone() -> None:
    """A deed is called with its identifiers, and its row is deleted."""
    about = uuid.uuid4()
    note.enqueue(about, 7)
    assert run_next_job()
    assert not run_next_job()
    assert [(str(about), 7)] == DONE
    assert not Job.objects.exists()


@pytest.mark.parametrize("words", ["the words of a story", "", None, 1.5, ["a"]])
def test_words_are_refused(words: object) -> None:
    """A job row can hold nothing but identifiers."""
    with pytest.raises(NotAnIdentifier):
        note.enqueue(words)
    with pytest.raises(NotAnIdentifier):
        note.enqueue(named=words)
    assert not Job.objects.exists()


def test_the_oldest_first_and_none_before_its_time() -> None:
    """Jobs run in the order in which they are due."""
    with clock.moved(LONGEST_WAIT - timedelta(minutes=1)):
        note.enqueue(2)
    note.enqueue(1)
    assert run_next_job()
    assert not run_next_job()
    with clock.moved(LONGEST_WAIT):
        assert run_next_job()
    assert DONE == [(1,), (2,)]


def test_a_wall_that_was_ahead_keeps_no_job_waiting() -> None:
    """Put down or claimed 40 days in the future: done at once. Failed then: kept for 30 days from now."""
    with clock.moved(timedelta(days=40)):
        note.enqueue(1)
        note.enqueue(2)
        assert claim_job()
        Job.objects.create(task="x", state=Job.State.FAILED, due_at=clock.now())
    assert run_next_job()
    assert run_next_job()
    assert not run_next_job()
    assert sorted(DONE) == [(1,), (2,)]
    assert purge_failed_jobs() == 0
    with clock.moved(timedelta(days=30, seconds=1)):
        assert purge_failed_jobs() == 1


def test_a_failure_keeps_its_type_alone() -> None:
    """No traceback and no message of an error is stored; the job is tried again, ever later, then kept for 30 days."""
    fall.enqueue(1)
    later = timedelta(0)
    for _ in range(MOST_ATTEMPTS):
        with clock.moved(later):
            assert run_next_job()
            assert not run_next_job()
        later += timedelta(hours=2)
    job = Job.objects.get()
    assert (job.state, job.problem) == (Job.State.FAILED, "RuntimeError")
    assert "words" not in repr(Job.objects.values().get())
    assert purge_failed_jobs() == 0
    with clock.moved(later + timedelta(days=31)):
        assert purge_failed_jobs() == 1


def test_a_job_is_claimed_by_one_worker() -> None:
    """While one worker runs a job, no other gets it."""
    note.enqueue(1)
    assert claim_job()
    assert claim_job() is None


def test_the_job_of_a_killed_worker_is_given_out_again() -> None:
    """After its lease, or at once by a worker that knows it is alone."""
    note.enqueue(1)
    assert claim_job()
    with clock.moved(LEASE + timedelta(seconds=1)):
        assert claim_job()
    assert give_back_running_jobs() == 1
    assert run_next_job()
    assert DONE == [(1,)]


@pytest.mark.parametrize("alone", [True, False])
def test_a_job_that_ends_every_worker_is_given_up(alone: bool) -> None:
    """Whoever claims it is killed: after the last attempt it stays as failed, and the jobs behind it are done."""
    note.enqueue(1)
    later = timedelta(0)
    for _ in range(MOST_ATTEMPTS):
        with clock.moved(later):
            assert claim_job()
            assert claim_job() is None
        if alone:
            assert give_back_running_jobs() == 1
        later += LEASE + timedelta(seconds=1)
    with clock.moved(later):
        note.enqueue(2)
        assert run_next_job()
        assert not run_next_job()
    assert DONE == [(2,)]
    job = Job.objects.get()
    assert (job.subjects, job.state, job.problem) == ([1], Job.State.FAILED, "WorkerEnded")
    with clock.moved(later + timedelta(days=31)):
        assert purge_failed_jobs() == 1


def test_the_room_of_a_job_is_told_of_its_end_until_it_has_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for a job learns that it was given up. While the room cannot be told, the job is not gone."""
    told: list[int] = []

    def refuse_once(subject: int) -> None:
        told.append(subject)
        if len(told) == 1:
            raise RuntimeError

    monkeypatch.setattr(tasks_of_tests, "note_given_up", refuse_once, raising=False)
    note.enqueue(1)
    later = timedelta(0)
    for _ in range(MOST_ATTEMPTS):
        with clock.moved(later):
            assert claim_job()
        later += LEASE + timedelta(seconds=1)
    with clock.moved(later):
        assert not run_next_job()
        assert (told, Job.objects.get().state) == ([1], Job.State.WAITING)
    with clock.moved(later + timedelta(hours=1)):
        assert not run_next_job()
    assert (told, DONE, Job.objects.get().state) == ([1, 1], [], Job.State.FAILED)


def test_the_last_attempt_may_still_succeed() -> None:
    """A job whose workers were killed is run as often as any other before it is given up."""
    note.enqueue(1)
    for _ in range(MOST_ATTEMPTS - 1):
        assert claim_job()
        give_back_running_jobs()
    assert run_next_job()
    assert DONE == [(1,)]
    assert not Job.objects.exists()


def test_a_deed_that_no_longer_exists_fails_alone() -> None:
    """A job whose function is gone does not stop the worker."""
    Job.objects.create(task="mindstage.nowhere.nothing")
    assert run_next_job()
    assert Job.objects.get().attempts == 1
