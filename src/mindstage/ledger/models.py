"""How far the main database has come: the counterpart of the keystore's counts, so that an old file shows itself."""

from __future__ import annotations

from django.db import models


class DatabaseMark(models.Model):
    """The one row. `generation` counts commits that touch keys' rows; the others say what this database has seen."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    generation = models.PositiveBigIntegerField(default=0)
    keystore_generation = models.PositiveBigIntegerField(default=0)
    """The highest generation of the keystore that a commit of this database has seen."""
    ledger_length = models.PositiveBigIntegerField(default=0)
    """How many entries of the ledger were applied to these rows."""
