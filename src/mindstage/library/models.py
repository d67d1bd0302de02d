"""What an author brings: characters, from imported cards, and materials for stories: personas, lorebooks, scenarios.

Scenarios that ship with the program are files: starters/.
"""

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


class Material(SealedRow):
    """Something that an author keeps for their stories: a persona, a lorebook or a scenario. Each has a key of its own.

    `content` is a JSON object; what stands in it for each kind is told in library/contents.py. A story that is begun
    with it takes a copy, so that no correction changes a story that is being played.
    """

    class Kind(models.TextChoices):
        PERSONA = "persona"
        LOREBOOK = "lorebook"
        SCENARIO = "scenario"

    keyed_to: ClassVar[str] = "id"

    id = models.UUIDField(primary_key=True, default=ids.sequential)
    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="materials")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    name = SealedField(entry="material")
    content = SealedField(entry="material")
    removals = models.PositiveIntegerField(default=0)
    """How often entries or members were removed: those behind them moved up, and an open page counts them wrongly."""
    made_on = models.DateField(default=clock.today)
    trashed_on = models.DateField(null=True)
    """By the slow date. What lies in the trash begins no story."""
    ending = models.BooleanField(default=False)
    """Its end for good has begun: it cannot be taken back out of the trash."""

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["owner", "kind", "id"]),
            models.Index(fields=["trashed_on"], condition=Q(trashed_on__isnull=False), name="trashed_materials"),
        ]
