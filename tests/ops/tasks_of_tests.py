"""Jobs for the tests of the job table."""

from __future__ import annotations

import os
import signal
import uuid

from django.tasks import task

from mindstage.accounts.access_counts import note_opening
from mindstage.vault.purposes import Purpose

DONE: list[tuple[object, ...]] = []


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
