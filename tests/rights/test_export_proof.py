"""An export, and the proof of who asks for it: what was typed before waits, and the page says what to press."""

from __future__ import annotations

from datetime import timedelta

import pyrage
import pytest
from django.test import Client

from mindstage.accounts.doorsteps import Step, look_at_doorstep, of_session
from mindstage.accounts.models import Doorstep
from mindstage.kit import clock
from mindstage.rights.export_models import Export
from mindstage.vault.purposes import Purpose
from people import PASSPHRASE, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
]
PAGE, PROOF = "/your-data/exports/", "/session/proof/"
AGE_KEY = str(pyrage.x25519.Identity.generate().to_public())


@pytest.fixture
def ada() -> Client:
    return signed_in_client(make_person("ada"))


def ask(client: Client, recipient: str) -> str:
    """Ask for an export as the page does; where that leads."""
    answer = client.post(PAGE, {"recipient": recipient}, headers={"Referer": f"http://testserver{PAGE}"})
    return str(answer.headers.get("Location", ""))


def prove(client: Client, *, leads_to: str) -> str:
    """Give the passphrase; the page that it leads back to."""
    answer = client.post(PROOF, {"passphrase": PASSPHRASE, "next": leads_to})
    return client.get(answer.headers["Location"]).content.decode()


def test_a_typed_age_key_waits_for_the_proof(ada: Client) -> None:
    """It stands in the form again; no address holds it; once it was used, nothing is left of it."""
    there = ask(ada, f" {AGE_KEY} ")
    assert there.startswith(PROOF)
    assert AGE_KEY not in there
    assert not Export.objects.exists()
    page = prove(ada, leads_to=f"{PAGE}?again")
    assert "press it once more" in page
    assert f'value="{AGE_KEY}"' in page
    assert f'value="{AGE_KEY}"' not in ada.get(PAGE).content.decode()
    assert ask(ada, AGE_KEY) == PAGE
    assert Export.objects.get().open("recipient", Purpose.EXPORT) == AGE_KEY
    assert not Doorstep.objects.exists()


def test_what_waits_is_for_that_browser_and_ten_minutes(ada: Client) -> None:
    """The last one counts; another browser of the same person sees none; nothing of it lies in the row in clear."""
    other_key = str(pyrage.x25519.Identity.generate().to_public())
    for key in (other_key, AGE_KEY):
        ask(ada, key)
    row = Doorstep.objects.get()
    assert AGE_KEY.encode() not in bytes(row.payload)
    assert AGE_KEY in ada.get(f"{PAGE}?again").content.decode()
    assert 'value="age1' not in signed_in_client(make_person("ben")).get(f"{PAGE}?again").content.decode()
    assert look_at_doorstep(of_session(ada.cookies["session"].value, Step.EXPORT), Step.TOTP) is None
    with clock.moved(timedelta(minutes=10)):
        assert 'value="age1' not in ada.get(f"{PAGE}?again").content.decode()


def test_what_is_no_age_key_is_said_before_anybody_is_asked_who_they_are(ada: Client) -> None:
    """And it stands there still, to be looked at."""
    answer = ada.post(PAGE, {"recipient": "age1mistyped"})
    assert answer.status_code == 409
    assert 'value="age1mistyped"' in answer.content.decode()
    assert not Doorstep.objects.exists()
