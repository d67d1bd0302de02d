"""The form for a claim code: wrong codes are limited, and right ones stand in nobody's way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client

from mindstage.accounts.models import User
from mindstage.kit import clock
from mindstage.ledger.envelopes import make_claim_code
from mindstage.rights.erasure import request_erasure
from mindstage.rights.views.receipts import CLAIMS_OF_A_NETWORK
from people import make_person

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
]
MOST = CLAIMS_OF_A_NETWORK.most


@pytest.fixture(autouse=True)
def nothing_tried() -> None:
    cache.clear()


def ask(code: str, **more: str) -> int:
    return Client().post("/your-data/receipt/", {"code": code, **more}).status_code


def test_whoever_looks_again_and_again_keeps_no_neighbour_from_calling_it_off() -> None:
    """Two people behind one address: the first looks at theirs as often as they like, the second is let in."""
    patient, other = make_person("ada"), make_person("ben")
    mine, theirs = (request_erasure(person.pk).claim_code for person in (patient, other))
    assert {ask(mine) for _ in range(MOST * 2)} == {200}
    assert ask(theirs, act="cancel") == 200
    assert User.objects.get(pk=other.pk).state == User.State.ACTIVE


def test_guesses_are_counted_beside_right_codes() -> None:
    """A right one in between gives no guess back; after ten guesses the network waits, and then goes on."""
    code = request_erasure(make_person("ada").pk).claim_code
    for _ in range(MOST):
        assert ask(code) == 200
        assert ask(make_claim_code()) == 422
    assert (ask(make_claim_code()), ask(code)) == (429, 429)
    with clock.moved(timedelta(minutes=16)):
        assert ask(code) == 200
