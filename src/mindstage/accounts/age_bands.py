"""Correct the age band of an account. What else has to change with it is known in `rights`, which asks for this."""

from __future__ import annotations

import uuid

from django.db import transaction

from mindstage.accounts.models import AgeBand, User
from mindstage.accounts.notices import notify
from mindstage.accounts.refused import Refused

NO_BAND = "Please choose one of the three."
NOT_NOW = "Your account is not active any more, so nothing was changed."


def change_age_band(*, account: uuid.UUID, age_band: str) -> None:
    """Write another band, and a notice that says so; the same one changes nothing. Raises Refused."""
    if age_band not in AgeBand.values:
        raise Refused("age_band", NO_BAND)
    with transaction.atomic():
        locked = User.objects.select_for_update().filter(pk=account, state=User.State.ACTIVE).first()
        if locked is None:
            raise Refused("", NOT_NOW)
        if locked.age_band != age_band:
            locked.age_band = age_band
            locked.save(update_fields=["age_band"])
            notify(account=locked, text="Your age band was corrected.")
