"""A night in which the keystore goes away: it stays open, is the same night when taken up, and comes to its end."""

from __future__ import annotations

from datetime import timedelta
from itertools import count

import pytest
from django.db import OperationalError

from mindstage.accounts.models import User
from mindstage.kit import clock
from mindstage.library.models import Character
from mindstage.library.trash import trash_item
from mindstage.ops import night
from mindstage.ops.models import Night
from mindstage.rights.erasure import request_erasure, run_due
from mindstage.rights.receipts import fetch_receipt
from mindstage.vault.clocks import slow_date, turn_night
from mindstage.vault.models import UserKey
from mindstage.vault.purposes import Purpose
from rights.erasures import make_life
from troubles import gone

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
]


def test_a_night_goes_on_where_the_keystore_left_it() -> None:
    """Gone after its first answer, its second, and so on: one day has passed, what was due has ended, others stay."""
    night.pass_night()
    ada, ben = make_life("ada"), make_life("ben")
    asked = request_erasure(ada.person.pk)
    trash_item(make_life("cleo").character)
    for _ in range(30):
        turn_night()
    before, failures = slow_date(), 0
    with clock.moved(timedelta(days=31)):
        for answers in count():
            try:
                with gone(after=answers):
                    night.pass_night()
                break
            except (OperationalError, night.EndingsFailed):
                failures += 1
            assert slow_date() - before <= timedelta(days=1)
            assert User.objects.filter(pk=ben.person.pk, state="active").exists()
        night.pass_night()
    assert failures > 10
    assert not Night.objects.get().open
    run_due()
    assert fetch_receipt(asked.claim_code)
    assert not UserKey.objects.using("keystore").filter(pk=ada.person.pk).exists()
    assert Character.objects.filter(owner=ben.person.pk).get().open("name", Purpose.SHOW)
    assert Character.objects.count() == 1
