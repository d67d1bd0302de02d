"""What an author brings: characters, from imported cards. Scenarios that ship with the program are files: starters/."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from mindstage.accounts.models import User
from mindstage.kit import clock, ids
from mindstage.vault.fields import SealedField, SealedRow


class Character(SealedRow):
    """A character of one person, sealed under a key of its own.

    `card` is the card's JSON object exactly as it came, `portrait` a WebP picture, `line` a few words for lists.
    `report` holds what its import had to say and the card alone does not (JSON, a list of sentences).
    """

    keyed_to: ClassVar[str] = "id"

    id = models.UUIDField(primary_key=True, default=ids.sequential)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="characters")
    name = SealedField(entry="character")
    line = SealedField(entry="character")
    card = SealedField(entry="character")
    portrait = SealedField(entry="character", null=True)
    report = SealedField(entry="character")
    imported_on = models.DateField(default=clock.today)
    trashed_on = models.DateField(null=True)
    """By the slow date. A character in the trash begins no story."""
    ending = models.BooleanField(default=False)
    """Its end for good has begun: it cannot be taken back out of the trash."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["owner", "id"]),
            models.Index(fields=["trashed_on"], condition=Q(trashed_on__isnull=False), name="trashed_characters"),
        ]
