"""The requests themselves, as a holding: what a *keep* of the ledger and a restore do to them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date
from typing import Any

from mindstage.datamap.holdings import Cleared, Finding, Rearmed
from mindstage.rights.erasure import keep_account, rearm_freezes, resume_destroyed
from mindstage.rights.requests import ErasureRequest


class ErasureHolding:
    """A request stays until its receipt is out: it is what the person is owed. It says nothing of them but that."""

    name = "erasures"

    def subjects(self) -> Iterator[uuid.UUID]:
        rows = ErasureRequest.objects.exclude(account=None)
        yield from (account for account in rows.values_list("account", flat=True) if account is not None)

    def export(self, person: uuid.UUID) -> Iterator[tuple[str, Any]]:  # noqa: ARG002 - it ends with the account
        yield from ()

    def erase(self, person: uuid.UUID) -> list[Cleared]:
        resume_destroyed(person)
        return []

    def erase_item(self, item: uuid.UUID) -> list[Cleared]:  # noqa: ARG002 - no item is of this room
        return []

    def keep(self, subject: uuid.UUID) -> None:
        keep_account(subject)

    def rearm(self, day: date) -> list[Rearmed]:
        return rearm_freezes(day)

    def remains(self, person: uuid.UUID) -> list[Finding]:  # noqa: ARG002 - what it keeps stands on the receipt
        return []
