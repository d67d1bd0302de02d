"""Jobs for the tests of the job table."""

from __future__ import annotations

from django.tasks import task

DONE: list[tuple[object, ...]] = []


@task
def note(*subjects: object) -> None:
    """Remember what it was called with."""
    DONE.append(subjects)


@task
def fall(*subjects: object) -> None:
    """Fail with words that must not be kept."""
    raise RuntimeError("the words of a story")
