"""Step-up: a fresh proof within ten minutes, in this browser, before what cannot be taken back."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client, override_settings

from accounts.test_second_factor import code_of, with_totp
from mindstage.accounts.models import Session
from mindstage.accounts.recovery_codes import make_recovery_codes
from mindstage.accounts.sessions import keep_proof, proof_of
from mindstage.kit import clock
from people import PASSPHRASE, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
PROOF = "/session/proof/"


def test_the_passphrase_again_leads_back() -> None:
    """A page that asks for a proof is shown after it, and for ten minutes without asking."""
    client = signed_in_client(make_person("ada"))
    there = client.get("/account/codes/").headers["Location"]
    assert there == f"{PROOF}?next=%2Faccount%2Fcodes%2F"
    given = {"passphrase": PASSPHRASE, "next": "/account/codes/"}
    assert client.post(PROOF, given).headers["Location"] == "/account/codes/"
    with clock.moved(timedelta(minutes=9, seconds=58)):
        assert client.get("/account/codes/").status_code == 200
    with clock.moved(timedelta(minutes=10)):
        assert client.get("/account/codes/").status_code == 302


@pytest.mark.parametrize("path", ["/account/codes/", "/account/passkeys/", "/account/email/", "/account/handle/"])
def test_pages_that_change_keys_are_not_even_shown(path: str) -> None:
    """What ways there are to log in is nothing for whoever finds an open browser; with a proof it is shown."""
    client = signed_in_client(make_person("ada"))
    with override_settings(MAILERS={"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}):
        assert client.get(path).headers["Location"].startswith(PROOF)
        keep_proof(client.cookies["session"].value)
        assert client.get(path).status_code == 200


def test_a_fresh_log_in_is_no_proof() -> None:
    """Somebody who finds an open browser is asked, however new the session is."""
    make_person("ada")
    client = Client()
    client.post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE})
    assert client.get("/account/codes/").status_code == 302


def test_a_form_without_a_proof_does_nothing_and_comes_back_to_its_page() -> None:
    """Only a page of this site is gone back to."""
    client = signed_in_client(make_person("ada"))
    for referer, back in [
        ("http://testserver/account/recovery-codes/", "%2Faccount%2Frecovery-codes%2F%3Fagain"),
        ("http://testserver/account/recovery-codes/?again", "%2Faccount%2Frecovery-codes%2F%3Fagain"),
        ("http://testserver/account/recovery-codes/?a=b", "%2Faccount%2Frecovery-codes%2F%3Fa%3Db%26again"),
        ("http://elsewhere.example/x/", "%2Faccount%2F"),
        ("", "%2Faccount%2F"),
    ]:
        response = client.post("/account/recovery-codes/new/", headers={"Referer": referer})
        assert response.headers["Location"] == f"{PROOF}?next={back}"
    assert client.post("/account/recovery-codes/new/", headers={"Sec-Fetch-Dest": "empty"}).status_code == 403


@pytest.mark.parametrize(
    ("place", "word"), [("email", "again=email"), ("", "again"), ("a#b", "again"), ("a&b=c", "again")]
)
def test_a_form_on_a_long_page_is_led_back_to(place: str, word: str) -> None:
    """It names its place on the page, which then links to it: nobody looks for a button that they have pressed."""
    client = signed_in_client(make_person("ada"))
    came_from = "http://testserver/account/?again=codes"
    asked = client.post("/account/email/removal/", {"place": place}, headers={"Referer": came_from})
    (back,) = parse_qs(urlsplit(asked.headers["Location"]).query)["next"]
    assert back == f"/account/?{word}"
    page = client.get(back).content.decode()
    assert ('<a href="#email">press it once more</a>' in page) == (place == "email")
    assert "press it once more" in page


def test_the_page_that_one_comes_back_to_says_that_nothing_was_done_yet() -> None:
    """Otherwise the same button stands there as before, and nothing tells whether it was heard."""
    client = signed_in_client(make_person("ada"))
    page = "/account/recovery-codes/"
    asked = client.post(f"{page}new/", headers={"Referer": f"http://testserver{page}"})
    assert asked.headers["Location"].endswith("%3Fagain")
    back = client.post(PROOF, {"passphrase": PASSPHRASE, "next": f"{page}?again"}).headers["Location"]
    assert back == f"{page}?again"
    assert "press it once more" in client.get(back).content.decode()
    assert "press it once more" not in client.get(page).content.decode()


def test_a_code_of_the_app_or_the_sheet_is_a_proof() -> None:
    account, secret = with_totp()
    for code in (code_of(secret), make_recovery_codes(account=account)[0]):
        client = signed_in_client(account)
        assert client.post(PROOF, {"code": code}).status_code == 302
        assert proof_of(client.cookies["session"].value)


@pytest.mark.parametrize("given", [{}, {"passphrase": "wrong words altogether"}, {"code": "000000"}])
def test_wrong_proofs_are_refused_and_counted(given: dict[str, str]) -> None:
    """Ten tries, then it waits."""
    account, _ = with_totp()
    client = signed_in_client(account)
    for _ in range(10):
        assert client.post(PROOF, given).status_code == 422
    assert client.post(PROOF, given).status_code == 429
    assert not proof_of(client.cookies["session"].value)


def test_a_proof_belongs_to_one_browser_and_one_row() -> None:
    """Another session of the same person has none, and a proof that is moved to its row opens nothing there."""
    account = make_person("ada")
    here, there = signed_in_client(account), signed_in_client(account)
    keep_proof(here.cookies["session"].value)
    assert there.get("/account/codes/").status_code == 302
    proof = Session.objects.exclude(proof=None).get().proof
    Session.objects.all().update(proof=proof)
    assert there.get("/account/codes/").status_code == 302
    assert here.get("/account/codes/").status_code == 200


def test_a_proof_of_the_future_is_none() -> None:
    """A clock that jumped back does not lengthen it."""
    client = signed_in_client(make_person("ada"))
    with clock.moved(timedelta(hours=1)):
        keep_proof(client.cookies["session"].value)
    assert client.get("/account/codes/").status_code == 302


def test_logging_out_everywhere_ends_every_session() -> None:
    account = make_person("ada")
    here, there = signed_in_client(account), signed_in_client(account)
    stranger = signed_in_client(make_person("ben"))
    response = here.post("/session/end/", {"everywhere": "1"})
    assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert there.get("/account/").status_code == here.get("/account/").status_code == 302
    assert stranger.get("/account/").status_code == 200
