"""Every cookie that a page really sets is a declared store."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import Client

from mindstage.datamap.reading import data_map
from people import PASSPHRASE, make_person, signed_in_client

PUBLIC = ("/", "/account/new/", "/session/new/", "/models/", "/nowhere/", "/scenarios/none/")
OWN = ("/", "/account/", "/characters/", "/characters/new/", "/models/", "/stories/")


@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_every_cookie_is_declared(vault: None) -> None:
    """Pages, forms, log-in, log-out and errors, as nobody and as somebody, set the declared cookies and no other."""
    declared = {store.removeprefix("cookie:") for store in data_map().stores if store.startswith("cookie:")}
    ada = make_person()
    stranger, own = Client(), signed_in_client(ada)
    set_by: set[str] = set()
    for path in PUBLIC:
        set_by |= set(stranger.get(path).cookies)
    for path in OWN:
        set_by |= set(own.get(path).cookies)
    for theme in ("dark", "light", "none"):
        set_by |= set(stranger.post("/theme/", {"theme": theme}).cookies)
    set_by |= set(stranger.post("/session/new/", {"handle": "ada", "passphrase": "wrong words"}).cookies)
    set_by |= set(stranger.post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE}).cookies)
    set_by |= set(own.post("/session/end/").cookies)
    form = {"handle": "ben", "passphrase": PASSPHRASE, "age_band": "18_plus"}
    set_by |= set(Client().post("/account/new/", form).cookies)
    assert set_by == declared == set(settings.COOKIES)


@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_cookies_are_out_of_the_reach_of_scripts(vault: None) -> None:
    """Each is HttpOnly and SameSite; Secure where the page came over TLS."""
    make_person()
    form = {"handle": "ben", "passphrase": PASSPHRASE, "age_band": "18_plus"}
    answers = [
        Client().post("/account/new/", form, secure=True),
        Client().get("/session/new/", secure=True),
        Client().post("/theme/", {"theme": "dark"}, secure=True),
        Client().post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE}, secure=True),
    ]
    assert {name for answer in answers for name in answer.cookies} == set(settings.COOKIES)
    for answer in answers:
        for name, cookie in answer.cookies.items():
            assert cookie["httponly"], name
            assert cookie["samesite"] == "Lax", name
            assert cookie["secure"], name
    assert not Client().get("/session/new/").cookies["csrf"]["secure"]  # or a plain loopback could send no form
