"""Each door has a limit for the network that knocks, whichever names are tried; another network is not concerned."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, override_settings

from mindstage.accounts import rate_limits
from mindstage.accounts.rate_limits import Limit
from people import PASSPHRASE, make_person

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
]
MAIL = {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}
FEW = 3


def log_in(client: Client, number: int) -> Any:
    return client.post("/session/new/", {"handle": f"nobody{number}", "passphrase": PASSPHRASE})


def sign_up(client: Client, number: int) -> Any:
    form = {"handle": f"nobody{number}", "passphrase": "short", "age_band": "18_plus"}
    return client.post("/account/new/", form)


def recover(client: Client, number: int) -> Any:
    return client.post("/session/recovery/", {"handle": f"nobody{number}", "code": "2222-2222-2222"})


def ask_for_a_letter(client: Client, number: int) -> Any:
    return client.post("/session/recovery/mail/", {"address": f"nobody{number}@example.org"})


@pytest.mark.parametrize(
    ("knock", "limit"),
    [
        (log_in, "PASSPHRASES_OF_A_NETWORK"),
        (sign_up, "SIGN_UPS_OF_A_NETWORK"),
        (recover, "CODES_OF_A_NETWORK"),
        (ask_for_a_letter, "LETTERS_OF_A_NETWORK"),
    ],
)
def test_a_network_waits_whoever_it_asks_for(
    knock: Callable[[Client, int], Any], limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try names somebody else; the one after the last is not looked at, and says when to come back."""
    make_person("ada")
    few = Limit(getattr(rate_limits, limit).name, FEW)
    for room in ("rate_limits", "sign_in", "views.accounts"):
        monkeypatch.setattr(f"mindstage.accounts.{room}.{limit}", few, raising=False)
    with override_settings(MAILERS=MAIL):
        here, elsewhere = Client(REMOTE_ADDR="192.0.2.7"), Client(REMOTE_ADDR="198.51.100.1")
        answers = [knock(here, number) for number in range(FEW + 1)]
        assert [answer.status_code == 429 for answer in answers] == [False] * FEW + [True]
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 900
        assert knock(elsewhere, 0).status_code != 429
