"""The worker's tables. None holds a word that anybody wrote: names of functions, identifiers, times."""

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


class Night(models.Model):
    """The one row of the night (ops/night.py): how far it has come, and what the last one could not do.

    `from_date`, `to_date`, `shift_days`, `shifted` plan the move of the slow date before it is made, so that a night
    that is killed never moves it twice.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    open = models.BooleanField(default=False)
    """Begun and not finished."""
    from_date = models.DateField(null=True)
    to_date = models.DateField(null=True)
    shift_days = models.PositiveIntegerField(default=0)
    """By how many of these days freezes and the trash move along."""
    shifted = models.BooleanField(default=False)
    backup_tried = models.BooleanField(default=False)
    """In the night that is open."""
    ended_on = models.DateField(null=True)
    """The wall's day on which the last night came to its end."""
    backed_up_on = models.DateField(null=True)
    backup_problem = models.CharField(max_length=100, default="", blank=True)
    """The type of what the last backup failed by; empty once one worked."""
    ending_problem = models.CharField(max_length=100, default="", blank=True)
    epoch_problem = models.CharField(max_length=100, default="", blank=True)
    epoch_waits_since = models.DateField(null=True)


class RetentionReport(models.Model):
    """The oldest record of each category, as published today: days and counts of days, nobody's."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    measured_on = models.DateField()
    content = models.JSONField(default=list)
