"""A request to erase an account: how far it has come. It outlives the account, and then names nobody."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from mindstage.kit import ids
from mindstage.vault.clocks import slow_date


class ErasureRequest(models.Model):
    """One request. `state` is the last step that is durable; each step is harmless to repeat."""

    class State(models.TextChoices):
        FROZEN = "frozen"
        """Everything is hidden; it can be called off."""
        DESTROYING = "destroying"
        """From here there is no way back."""
        RECORDED = "recorded"
        """The ledger says so, and its head is pinned."""
        KEYLESS = "keyless"
        """The keys are destroyed."""
        SHUT = "shut"
        """Texts of theirs were tried, and none opened."""
        CLEARED = "cleared"
        """Rows, files, cache and queue are cleared."""
        WAITING = "waiting"
        """Nothing was found any more; the epoch must turn."""
        DONE = "done"
        """The receipt can be fetched."""

    id = models.UUIDField(primary_key=True, default=ids.unordered)
    account = models.UUIDField(null=True, unique=True)
    """Whose; null once it is done."""
    state = models.CharField(max_length=10, choices=State.choices, default=State.FROZEN)
    frozen_before = models.BooleanField(default=False)
    """Its owner had frozen the account before: called off, it is frozen still."""
    requested_on = models.DateField(default=slow_date)
    due_on = models.DateField(db_index=True)
    completed_on = models.DateField(null=True)
    claim_hash = models.BinaryField(max_length=32, null=True, unique=True)
    """Finds the request by its claim code; gone with the receipt."""
    envelope_key = models.BinaryField(max_length=32)
    """What the receipt is sealed to: only the claim code opens it."""
    commitment = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)
    """What goes on the receipt: counts of rows per place, the version of the map, where the ledger says it."""
    died_in = models.PositiveIntegerField(null=True)
    """The epoch in which the keys were destroyed."""
    findings = models.PositiveIntegerField(default=0)
    """How many things the verification found, or texts that still opened; it is done again until there are none."""
    receipt_hash = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        app_label = "rights"
        indexes: ClassVar = [models.Index(fields=["state"], name="erasures_by_state")]

    @property
    def subject(self) -> uuid.UUID:
        """The account, while it is being erased."""
        assert self.account is not None
        return self.account
