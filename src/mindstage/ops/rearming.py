"""After a restore: what was about to end gets its full time again, and whose it is is told so."""

from __future__ import annotations

import uuid
from collections import defaultdict

from mindstage.accounts.models import User
from mindstage.accounts.notices import notify
from mindstage.datamap.holdings import Rearmed, holdings
from mindstage.vault.clocks import slow_date
from mindstage.vault.keys import KeyGone


def rearm_clocks() -> int:
    """Give every freeze and every stay in the trash its full time again, from today, with a notice; how many."""
    day, found = slow_date(), defaultdict[uuid.UUID, list[Rearmed]](list)
    for rearm in [getattr(holding, "rearm", None) for holding in holdings()]:
        for one in rearm(day) if rearm is not None else ():
            found[one.owner].append(one)
    for account in User.objects.filter(pk__in=found) if found else ():
        _tell(account, found[account.pk])
    return sum(one.count for rearmed in found.values() for one in rearmed)


def _tell(account: User, rearmed: list[Rearmed]) -> None:
    said = "; ".join(one.words for one in rearmed)
    try:
        notify(
            account=account,
            text=f"An older copy of the data was put back here. What was to end has its full time again: {said}.",
        )
    except KeyGone:
        pass  # its key is lost with all that it could say; the report of the restore counts it
