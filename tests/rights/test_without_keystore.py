"""A keystore that is locked or gone: what people ask of the pages then, and an erasure that is half way."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import OperationalError
from django.test import Client

from mindstage.accounts.freezing import freeze_account
from mindstage.accounts.models import User
from mindstage.accounts.recovery_codes import make_recovery_codes
from mindstage.accounts.sessions import begin_session, keep_proof
from mindstage.library.trash import trash_item
from mindstage.rights.erasure import find_request, request_erasure, run_due
from mindstage.rights.receipts import fetch_receipt
from mindstage.stories.models import Story
from mindstage.stories.trash import trash_story
from mindstage.vault.clocks import turn_night
from mindstage.vault.keys import KeyGone, forget_keys, user_key
from mindstage.vault.models import ItemKey, UserKey
from mindstage.vault.purposes import Purpose
from mindstage.vault.rotation import rotate
from people import PASSPHRASE
from rights.erasures import Life, make_life
from troubles import Trouble, gone, locked

pytestmark = pytest.mark.django_db(databases=["default", "keystore"], transaction=True)

TROUBLES = pytest.mark.parametrize("trouble", [pytest.param(locked, marks=pytest.mark.sqlite), gone])
type Deed = Callable[[Life], tuple[str, dict[str, str]]]


@pytest.fixture
def ada(vault: None) -> Life:
    return make_life("ada")


def everything() -> list[tuple[Any, ...]]:
    """Every row of both databases."""
    return [row for model in apps.get_models() for row in model._default_manager.order_by("pk").values_list()]


def end_character(life: Life) -> tuple[str, dict[str, str]]:
    trash_item(life.character)
    return f"/trash/{life.character.pk}/end/", {}


def end_story(life: Life) -> tuple[str, dict[str, str]]:
    trash_story(story=life.story)
    return f"/trash/{life.story.pk}/end/", {}


def take_back(life: Life) -> tuple[str, dict[str, str]]:
    return end_character(life)[0].replace("end", "undo"), {}


def recover(life: Life) -> tuple[str, dict[str, str]]:
    return "/session/recovery/", {"handle": "ada", "code": make_recovery_codes(account=life.person)[0]}


def thaw(life: Life) -> tuple[str, dict[str, str]]:
    freeze_account(life.person.pk)
    return "/your-data/freeze/end/", {}


def call_off(life: Life) -> tuple[str, dict[str, str]]:
    request_erasure(life.person.pk)
    return "/your-data/erasures/end/", {}


OWN: dict[str, Deed] = {
    "erasure": lambda _: ("/your-data/erasures/", {"handle": "ada"}),
    "export": lambda _: ("/your-data/exports/", {"recipient": ""}),
    "freeze": lambda _: ("/your-data/freeze/", {}),
    "sheet": lambda _: ("/account/recovery-codes/new/", {}),
    "end character": end_character,
    "end story": end_story,
    "take back": take_back,
    "thaw": thaw,
    "call off": call_off,
}
"""Asked for by somebody who is signed in and has just proved who they are."""

DOOR: dict[str, Deed] = {
    "log in": lambda _: ("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE}),
    "recovery": recover,
    "sign up": lambda _: ("/account/new/", {"handle": "ben", "passphrase": PASSPHRASE, "age_band": "18_plus"}),
}
"""Asked for by anybody."""


@TROUBLES
@pytest.mark.parametrize("name", [*OWN, *DOOR])
def test_a_deed_waits_for_the_keystore(trouble: Trouble, name: str, ada: Life) -> None:
    """Its page says what broke, what is safe, what next; not a row is changed; the same form works afterwards."""
    path, form = (OWN | DOOR)[name](ada)
    client = Client(raise_request_exception=False)
    if name in OWN:
        client.cookies[settings.SESSION_COOKIE_NAME] = cookie = begin_session(ada.person, "computer")
        keep_proof(cookie)
    before = everything()
    forget_keys()
    with trouble():
        page = client.post(path, form)
        assert page.status_code == 503
        for said in ("Your data cannot be reached", "Nothing was changed, and nothing is lost", "do it again"):
            assert said in page.content.decode()
    assert everything() == before
    answer = client.post(path, form)
    assert answer.status_code == (200 if name in ("erasure", "freeze") else 302)
    assert not answer.headers.get("Location", "").startswith(("/session/new/", "/session/proof/"))
    assert everything() != before


def test_an_erasure_goes_on_where_the_keystore_left_it(ada: Life) -> None:
    """Gone after its first answer, its second, and so on: whatever was done stays done, and the end is a receipt."""
    ben = make_life("ben")
    asked = request_erasure(ada.person.pk)
    for _ in range(8):
        turn_night()
    failures = 0
    for answers in count():
        with gone(after=answers):
            try:
                run_due()
                break
            except OperationalError:
                failures += 1
        assert find_request(asked.claim_code) is not None
        assert User.objects.filter(pk=ben.person.pk, state="active").exists()
    assert failures > 5
    rotate()
    run_due()
    assert fetch_receipt(asked.claim_code)
    with pytest.raises(KeyGone):
        user_key(ada.person.pk)
    assert not User.objects.filter(pk=ada.person.pk).exists()
    assert not ItemKey.objects.using("keystore").filter(owner=ada.person.pk).exists()
    assert UserKey.objects.using("keystore").get().pk == ben.person.pk
    assert Story.objects.get().open("title", Purpose.SHOW)
