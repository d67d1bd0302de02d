"""The worker's two tables. Neither holds a word that anybody wrote: names of functions, identifiers, times."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mindstage.kit import clock, ids


class Tick(models.Model):
    """When one clock of config/schedule.py is due next. A worker claims it by moving `due_at` in one UPDATE."""

    name = models.CharField(max_length=40, primary_key=True)
    due_at = models.DateTimeField(default=clock.now)


class Job(models.Model):
    """One deed for the worker. Done ones are deleted; of a failed one only the type of its error is kept."""

    class State(models.TextChoices):
        WAITING = "waiting"
        RUNNING = "running"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=ids.sequential)
    task = models.CharField(max_length=200)
    subjects = models.JSONField(default=list)
    """The identifiers that the deed is about, in the order of its arguments."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    due_at = models.DateTimeField(default=clock.now)
    """Waiting: not before this moment. Running: whoever claimed it is taken for dead after it. Failed: since then."""
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=100, default="", blank=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["state", "due_at"])]
