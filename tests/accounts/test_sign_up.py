"""Making an account: what is stored, what is refused, and that a handle has one account."""

from __future__ import annotations

import threading

import pytest
from django.db import connections
from django.test import Client

from mindstage.accounts.models import OwnerLink, Session, User
from mindstage.accounts.owner_link import make_owner_link, spend_owner_link
from mindstage.accounts.passphrases import COMMON, check_passphrase
from mindstage.accounts.refused import Refused
from mindstage.accounts.sign_up import sign_up
from mindstage.vault.models import UserKey
from mindstage.vault.purposes import Purpose
from people import PASSPHRASE, make_person

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]

FORM = {"handle": "Ada", "passphrase": PASSPHRASE, "age_band": "18_plus"}


def test_an_account_is_a_handle_a_check_and_an_age_band() -> None:
    """The handle opens again for its owner; the passphrase is kept as an Argon2id check only."""
    account = User.objects.get(pk=make_person("Ada").pk)
    assert account.open("handle", Purpose.SHOW) == "Ada"
    assert account.password.startswith("argon2$argon2id$")
    assert account.age_band == "18_plus"
    assert not account.owner
    assert account.pk.version == 4


def test_the_form_signs_up_and_in() -> None:
    """After the form a person gets a recovery sheet, and from there goes where they wanted to go, signed in."""
    client = Client()
    response = client.post("/account/new/", FORM | {"next": "/characters/"})
    sheet = "/account/recovery-codes/?next=%2Fcharacters%2F"
    assert (response.status_code, response.headers["Location"]) == (302, sheet)
    assert 'href="/characters/"' in client.get(sheet).content.decode()
    assert client.get("/account/").status_code == 200
    cookie = response.cookies["session"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["max-age"] == 30 * 24 * 3600
    assert not cookie["secure"]


def test_the_cookie_is_secure_where_the_connection_is() -> None:
    response = Client().post("/account/new/", FORM, secure=True)
    assert response.cookies["session"]["secure"]


def test_a_child_is_refused_kindly_and_nothing_is_stored() -> None:
    """Under 13: no row, no key, no session, no cookie but the form's."""
    client = Client()
    client.get("/account/new/")
    response = client.post("/account/new/", FORM | {"age_band": "under_13"})
    assert response.status_code == 422
    assert "13 and older" in response.content.decode()
    assert not User.objects.exists()
    assert not UserKey.objects.exists()
    assert not Session.objects.exists()
    assert set(client.cookies) <= {"csrf"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"handle": ""}, "fill this in"),
        ({"handle": "аda"}, "one alphabet"),
        ({"handle": "Ad\x00a"}, "Null characters"),
        ({"passphrase": "too short"}, "at least 12"),
        ({"passphrase": ""}, "fill this in"),
        ({"passphrase": "ä" * 1001}, "at most 1,000"),
        ({"passphrase": "aaaaaaaaaaaaaaaa"}, "over and over"),
        ({"passphrase": "Password 1234!"}, "first that are tried"),
        ({"age_band": ""}, "choose one"),
        ({"age_band": "99"}, "choose one of the three"),
    ],
)
def test_a_refused_form_keeps_what_was_typed_but_no_passphrase(change: dict[str, str], says: str) -> None:
    """One sentence beside the field; the passphrase is never sent back."""
    response = Client().post("/account/new/", FORM | change)
    page = response.content.decode()
    assert response.status_code == 422
    assert says in page
    if not change.get("handle", "Ada").startswith("Ad\x00"):
        assert f'value="{change.get("handle", "Ada")}"' in page
    assert PASSPHRASE not in page
    assert not User.objects.exists()
    assert "session" not in response.cookies


def test_a_passphrase_is_not_the_handle() -> None:
    with pytest.raises(Refused, match="passphrase"):
        check_passphrase("Ada Lovelace, ada lovelace", handle="ada lovelace")


@pytest.mark.parametrize("short", ["\ufdfa", "½½½½", "only eleven", "cafe\u0301 au la"])
def test_a_passphrase_has_twelve_characters(short: str) -> None:
    """As they are typed and as they are compared: a ligature is one, a letter with its accent too."""
    with pytest.raises(Refused, match="passphrase"):
        check_passphrase(short, handle="ada")
    check_passphrase("exactly12cha", handle="ada")


def test_common_passphrases_are_all_long_enough_to_matter() -> None:
    """The list holds only what the length alone would let through, folded as it is compared."""
    assert all(len(one) >= 11 and one == one.casefold() and one.isalnum() for one in COMMON)


def test_two_spellings_of_a_passphrase_are_one() -> None:
    """A keyboard that composes and one that does not lead to the same account."""
    account = make_person(passphrase="cafe\u0301 au lait le matin")
    from mindstage.accounts.passphrases import matches

    assert matches("café au lait le matin", account.password)


@pytest.mark.parametrize("again", ["ada", "ADA", "Ａda"])
def test_a_taken_handle_is_refused(again: str) -> None:
    make_person("Ada")
    response = Client().post("/account/new/", FORM | {"handle": again})
    assert response.status_code == 422
    assert "is taken" in response.content.decode()
    assert (User.objects.count(), UserKey.objects.count()) == (1, 1)


@pytest.mark.django_db(databases=["default", "keystore"], transaction=True)
def test_eight_at_once_make_one_account() -> None:
    """Simultaneous sign-ups with one handle in two casings: one account, seven polite refusals."""
    start, answers = threading.Barrier(8), []

    def enter(number: int) -> None:
        start.wait(timeout=20)
        try:
            answers.append(sign_up(handle=("ada", "ADA")[number % 2], passphrase=PASSPHRASE, age_band="18_plus"))
        except Refused as refused:
            answers.append(refused.field)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert User.objects.count() == 1
    assert sorted(map(str, answers)) == ["an account"] + ["handle"] * 7


def test_the_owner_link_makes_one_owner() -> None:
    """Its page is told to no other, its account owns the instance, and it works once."""
    token = make_owner_link()
    client = Client()
    page = client.get(f"/owner/{token}/")
    assert page.headers["Referrer-Policy"] == "same-origin"
    words = page.content.decode()
    assert words.count(f'name="owner_link" value="{token}"') == 1
    again = client.post("/account/new/", FORM | {"owner_link": token, "handle": "!"}).content.decode()
    assert "will own this copy" in words
    assert "will own this copy" in again
    assert "will own this copy" not in client.get("/account/new/").content.decode()
    client.post("/account/new/", FORM | {"owner_link": token})
    assert User.objects.get().owner
    assert not OwnerLink.objects.exists()
    assert Client().get(f"/owner/{token}/").status_code == 404
    late = Client().post("/account/new/", FORM | {"handle": "ben", "owner_link": token})
    assert late.status_code == 422
    assert "used before" in late.content.decode()
    assert User.objects.count() == 1


def test_a_newer_owner_link_replaces_the_former_and_no_token_is_kept() -> None:
    former, token = make_owner_link(), make_owner_link()
    assert OwnerLink.objects.count() == 1
    assert token.encode() not in bytes(OwnerLink.objects.get().key_hash)
    assert not spend_owner_link(former)
    assert spend_owner_link(token)
    assert not spend_owner_link(token)


def test_a_lost_race_for_the_handle_does_not_spend_the_owner_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Link and account are one transaction."""
    from mindstage.accounts import sign_up as module

    token = make_owner_link()
    make_person("ada")
    looked_before_the_other_wrote = lambda **given: ("ada", module.handle_tag("ada"))  # noqa: E731
    monkeypatch.setattr(module, "check_newcomer", looked_before_the_other_wrote)
    with pytest.raises(Refused):
        make_person("ada", owner_link=token)
    assert OwnerLink.objects.exists()
