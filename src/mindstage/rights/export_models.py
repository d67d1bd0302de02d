"""Exports that wait to be fetched, and files of an import that nothing here understands. Imported by models.py."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mindstage.accounts.models import User
from mindstage.kit import clock, ids
from mindstage.vault.fields import SealedField, SealedRow


class Export(SealedRow):
    """One export. Its file lies in the exports folder, sealed under a key of its own that ends with it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        WRITING = "writing"
        READY = "ready"
        FAILED = "failed"
        GONE = "gone"
        """Thrown away by its owner before its time; the row stays for the rest of the day."""

    keyed_to: ClassVar[str] = "id"

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="exports")
    recipient = SealedField(entry="export", null=True)
    """The public age key that the archive is encrypted to, if its owner gave one."""
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    asked_at = models.DateTimeField(default=clock.now)
    ready_at = models.DateTimeField(null=True)
    touched_at = models.DateTimeField(null=True)
    """When the job last said that it is at work."""
    things_done = models.PositiveIntegerField(default=0)
    things = models.PositiveIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0)
    """Bytes that a download brings."""

    class Meta:
        indexes: ClassVar = [models.Index(fields=["owner", "asked_at"])]


class KeptFile(SealedRow):
    """A file out of an import that no room understood: kept as it is, shown to nobody's narrator, exported again."""

    keyed_to: ClassVar[str] = "owner_id"
    by_account: ClassVar[bool] = True

    id = models.UUIDField(primary_key=True, default=ids.sequential)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="kept_files")
    path = SealedField(entry="kept_file")
    content = SealedField(entry="kept_file")
    kept_on = models.DateField(default=clock.today)
