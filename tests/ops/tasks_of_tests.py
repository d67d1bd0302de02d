"""Jobs for the tests of the job table."""

from __future__ import annotations

import os
import signal
import threading
import uuid

from django.tasks import task

from mindstage.accounts.access_counts import note_opening
from mindstage.vault.purposes import Purpose

DONE: list[tuple[object, ...]] = []
RUNG, HEARD = threading.Event(), threading.Event()
"""A short clock has rung; a short job was done."""
PATIENCE = 20


def wait_for_the_short_ones() -> bool:
    """Whether both came while whoever asks was still at work."""
    return RUNG.wait(PATIENCE) and HEARD.wait(PATIENCE)


@task
def note(*subjects: object) -> None:
    """Remember what it was called with."""
    DONE.append(subjects)


@task
def fall(*subjects: object) -> None:
    """Fail with words that must not be kept."""
    raise RuntimeError("the words of a story")


@task
def open_for_somebody(account: str) -> None:
    """Count an opening, as any job that reads somebody's texts does."""
    note_opening(uuid.UUID(account), Purpose.NOTIFY)


@task
def write_down(number: int) -> None:
    """Note its number for the process that started the worker; die instead where that process says so."""
    if os.environ.get("KILL_AT") == str(number):
        os.kill(os.getpid(), signal.SIGKILL)
    with open(os.environ["NOTES"], "a") as notes:  # noqa: PTH123 - one short write to the end
        notes.write(f"{number}\n")


@task
def be_short(*subjects: object) -> None:
    """Let the long ones hear of it."""
    HEARD.set()


@task
def be_long(*subjects: object) -> None:
    """End when the short ones have come."""
    DONE.append(("long job", wait_for_the_short_ones()))
