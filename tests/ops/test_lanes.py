"""The worker's lanes: what takes long keeps nothing waiting that does not, and each thing is in one lane."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.tasks import Task
from django.utils.module_loading import import_string

from mindstage.config.schedule import CLOCKS, LONG_JOBS
from mindstage.ops import jobs
from mindstage.ops.models import Job
from mindstage.ops.ticker import Clock
from mindstage.ops.work import lanes_of, work
from ops.tasks_of_tests import DONE, HEARD, PATIENCE, RUNG, be_long, be_short, wait_for_the_short_ones

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The worker runs in this very process: its handler of SIGTERM does not outlive the test."""
    handler = signal.getsignal(signal.SIGTERM)
    for memory in (DONE, RUNG, HEARD):
        memory.clear()
    yield
    signal.signal(signal.SIGTERM, handler)


def test_a_long_job_and_a_long_night_keep_nobody_waiting() -> None:
    """While an export and an erasure go on, a clock rings and a letter goes out; told to end, all of them finish."""

    def be_a_long_night() -> None:
        DONE.append(("night", wait_for_the_short_ones()))
        os.kill(os.getpid(), signal.SIGTERM)

    be_long.enqueue(1)
    be_short.enqueue(2)
    clocks = [Clock("night", DAY, be_a_long_night, long=True), Clock("short", DAY, RUNG.set)]
    work(lanes_of(clocks, [be_long.module_path]))
    assert sorted(DONE) == [("long job", True), ("night", True)]
    assert not Job.objects.exists()


def test_a_lane_that_falls_ends_the_worker() -> None:
    """Whoever started it starts it again: a worker never goes on without its clocks."""

    class Fallen(BaseException):
        """What no deed's fault is."""

    def fall() -> None:
        raise Fallen

    with pytest.raises(Fallen):
        work(lanes_of([Clock("short", DAY, fall)], []))


def test_each_clock_and_each_job_is_in_one_lane() -> None:
    """Nothing is forgotten and nothing is done twice, not even a job whose deed is gone."""
    lanes = lanes_of(CLOCKS, LONG_JOBS)
    assert sorted(each.name for lane in lanes for each in lane.clocks) == sorted(each.name for each in CLOCKS)
    assert [each.name for each in CLOCKS if each.long] == ["night", "retention report", "tidy database"]
    assert all(isinstance(import_string(name), Task) for name in LONG_JOBS)
    for task in (*LONG_JOBS, "mindstage.nowhere.nothing"):
        Job.objects.create(task=task)
    claimed = [
        [lane.name for lane in lanes if lane.jobs is not None and Job.objects.filter(lane.jobs, pk=job.pk).exists()]
        for job in Job.objects.order_by("pk")
    ]
    assert claimed == [["long jobs"], ["short"]]


def test_a_job_is_gone_only_when_what_it_opened_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another lane may be storing it just then; killed in between, nothing is left uncounted."""
    begun, go_on, order = threading.Event(), threading.Event(), []

    def store_slowly() -> None:
        if not begun.is_set():
            begun.set()
            go_on.wait(PATIENCE)
            order.append("stored")

    monkeypatch.setattr(jobs, "store_counts", store_slowly)
    one = threading.Thread(target=jobs.store_openings)
    other = threading.Thread(target=lambda: (jobs.store_openings(), order.append("gone on")))
    one.start()
    assert begun.wait(PATIENCE)
    other.start()
    go_on.set()
    one.join()
    other.join()
    assert order == ["stored", "gone on"]
