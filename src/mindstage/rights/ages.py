"""Correct one's age band, and with it what only adults are asked."""

from __future__ import annotations

import uuid

from mindstage.accounts.age_bands import change_age_band
from mindstage.accounts.models import AgeBand
from mindstage.rights.consents import withdraw_of_adults


def correct_age_band(*, person: uuid.UUID, age_band: str) -> None:
    """Another band. Raises Refused; LedgerBroken, OSError, with the band as it was.

    Whoever is no adult never gave a yes that only adults can give, so it ends first, and for good: a crash in between
    leaves a no too many. Under 13 there is no band and no account: that way leads over the end of the account.
    """
    if age_band == AgeBand.TEEN:
        withdraw_of_adults(person)
    change_age_band(account=person, age_band=age_band)
