"""What was sent to whom: a line for each person, provider and its terms. No word of it, and no story."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from mindstage.kit import clock, ids


class Sending(models.Model):
    """So many requests with parts of one person's stories went to one provider, under terms that held then."""

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    owner = models.UUIDField()
    provider = models.CharField(max_length=200)
    place = models.CharField(max_length=200, blank=True)
    keeps = models.CharField(max_length=200, blank=True)
    trains = models.CharField(max_length=200, blank=True)
    first_on = models.DateField(default=clock.today)
    last_on = models.DateField(default=clock.today, db_index=True)
    requests = models.PositiveBigIntegerField(default=0)

    class Meta:
        app_label = "gateway"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "provider", "place", "keeps", "trains"], name="one_line_of_terms")
        ]
