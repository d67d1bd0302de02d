"""What people answered to the questions of the policy, and which versions of it they and this instance have seen."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from mindstage.accounts.models import User
from mindstage.kit import clock, ids
from mindstage.rights.export_models import Export as Export
from mindstage.rights.export_models import KeptFile as KeptFile


class Consent(models.Model):
    """One answer: never changed, so that the rows of an account are its history. The last one counts.

    `version` is that of the question (datamap/questions.py); `place` orders the answers of one account to one question.
    """

    class By(models.TextChoices):
        PERSON = "person"
        SIGNAL = "signal"
        """Global Privacy Control said no for them."""
        RESTORE = "restore"
        """A backup did not know yet that it was withdrawn."""

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=80)
    switch = models.UUIDField()
    """Names the question of this account in the ledger: made from both, so that an older database finds it again."""
    version = models.PositiveIntegerField()
    given = models.BooleanField()
    said_by = models.CharField(max_length=8, choices=By.choices, default=By.PERSON)
    said_on = models.DateField(default=clock.today)
    place = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "purpose", "place"], name="consent_history"),
        ]
        indexes: ClassVar = [models.Index(fields=["switch"])]


class PolicyVersion(models.Model):
    """The day on which this instance first ran a version, and from which day it holds here."""

    number = models.PositiveIntegerField(primary_key=True)
    seen_on = models.DateField(default=clock.today)
    effective_on = models.DateField()


class PolicyNotice(models.Model):
    """Somebody was told about a version: a notice was made for them, or they closed the banner."""

    class Way(models.TextChoices):
        NOTICE = "notice"
        BANNER = "banner"

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    account = models.ForeignKey(User, on_delete=models.CASCADE, related_name="policy_notices")
    number = models.PositiveIntegerField()
    told_on = models.DateField(default=clock.today)
    way = models.CharField(max_length=8, choices=Way.choices)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "number", "way"], name="told_once")]


SWITCHES = uuid.UUID("5b0a8a0e-3d0f-5c63-9e0a-6d2e6a6c7f11")


def switch_of(account: uuid.UUID, purpose: str) -> uuid.UUID:
    """The identifier by which the ledger knows one question of one account."""
    return uuid.uuid5(SWITCHES, f"{account}|{purpose}")


from mindstage.rights.requests import ErasureRequest as ErasureRequest  # noqa: E402 - a table of this room
