"""The recovery sheet: shown once, kept as hashes, a way back in with a handle and one code."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial

import pytest
from django.test import Client

from mindstage.accounts.handles import handle_tag
from mindstage.accounts.models import Factor, Session, User
from mindstage.accounts.notices import list_notices, notify, purge_old_notices
from mindstage.accounts.recovery_codes import count_recovery_codes, make_recovery_codes
from mindstage.accounts.sessions import keep_proof
from mindstage.kit import clock
from mindstage.vault.keys import forget_keys, text_key
from mindstage.vault.purposes import Purpose
from people import PASSPHRASE, count_questions, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
FORM = {"handle": "Ada", "passphrase": PASSPHRASE, "age_band": "18_plus"}
CODE = re.compile(r"<code>([2-9a-z]{4}-[2-9a-z]{4}-[2-9a-z]{4})</code>")


def test_the_sheet_is_shown_once_after_sign_up() -> None:
    """Ten codes on the next page; a second look shows none, and neither does another browser."""
    client = Client()
    there = client.post("/account/new/", FORM).headers["Location"]
    door, stolen = client.cookies["door"].value, signed_in_client(make_person("ben"))
    codes = CODE.findall(client.get(there).content.decode())
    assert len(set(codes)) == 10
    stolen.cookies["door"] = door
    copied = signed_in_client(User.objects.get(handle_tag=handle_tag("ada")))
    copied.cookies["door"] = door
    for one in (client, stolen, copied):
        assert CODE.findall(one.get(there).content.decode()) == []
    assert not [code for code in codes if code in Factor.objects.get().open("sealed", Purpose.SHOW)]


def test_somebody_elses_sheet_is_not_shown() -> None:
    """The doorstep of Ada's sheet in Ben's browser shows nothing."""
    ada, ben = Client(), signed_in_client(make_person("ben"))
    there = ada.post("/account/new/", FORM).headers["Location"]
    ben.cookies["door"] = ada.cookies["door"].value
    assert CODE.findall(ben.get(there).content.decode()) == []


def test_a_lost_passphrase_is_replaced_with_a_code() -> None:
    """Handle and code let in, and for ten minutes a new passphrase is taken without the old one."""
    account = make_person("ada")
    code = make_recovery_codes(account=account)[0]
    client = Client()
    response = client.post("/session/recovery/", {"handle": "ADA", "code": code})
    assert response.headers["Location"] == "/account/?recovered#change"
    page = client.get("/account/?recovered").content.decode()
    assert "Present passphrase" not in page
    assert "9 of 10 are left" in page
    new = {"new": "other words of velvet"}
    with clock.moved(timedelta(minutes=11)):
        assert client.post("/account/passphrase/", new).status_code == 422
    assert client.post("/account/passphrase/", new).status_code == 302
    right = {"handle": "ada", "passphrase": "other words of velvet"}
    assert Client().post("/session/new/", right).status_code == 302


def test_wrong_recoveries_get_one_answer_after_the_same_queries() -> None:
    """Unknown handle, wrong code, used code, another's code, no sheet, an account that is being erased.

    The same queries to both databases, so that time does not tell who has an account; nor who was here a minute ago.
    """
    codes = make_recovery_codes(account=make_person("ada"))
    bens = make_recovery_codes(account=make_person("ben"))
    cleo = make_person("cleo")
    cleos = make_recovery_codes(account=cleo)
    User.objects.filter(pk=cleo.pk).update(state="destroying")
    make_person("dora")
    assert Client().post("/session/recovery/", {"handle": "ada", "code": codes[0]}).status_code == 302
    Session.objects.all().delete()
    pages, questions = set(), []
    tries = [("ada", "x"), ("ada", codes[0]), ("ada", bens[0]), ("nobody", codes[1]), ("cleo", cleos[0]), ("dora", "x")]
    for known in (ada_is_known, forget_keys):
        for handle, code in tries:
            known()
            post = partial(Client().post, "/session/recovery/", {"handle": handle, "code": code})
            response, asked = count_questions(post)
            assert response.status_code == 422
            pages.add(re.sub(r'value="[^"]*"|nonce="[^"]*"', "", response.content.decode()))
            questions.append(asked)
    assert len(pages) == 1
    assert [one for one in questions if one != questions[0]] == []
    assert not Session.objects.exists()


def ada_is_known() -> None:
    """This process holds her key."""
    assert text_key(User.objects.get(handle_tag=handle_tag("ada")).pk)


def test_a_recovery_has_the_limit_of_its_handle() -> None:
    """Ten wrong codes for a handle in any spelling, known or not."""
    make_person("ada")
    for handle in ("ada", "nobody"):
        for number in range(10):
            spelling = handle.upper() if number % 2 else handle
            assert Client().post("/session/recovery/", {"handle": spelling, "code": "x"}).status_code == 422
        assert Client().post("/session/recovery/", {"handle": f" {handle} ", "code": "x"}).status_code == 429


def test_a_new_sheet_ends_the_former() -> None:
    """It asks for a proof first."""
    account = make_person("ada")
    former = make_recovery_codes(account=account)
    client = signed_in_client(account)
    assert client.post("/account/recovery-codes/new/").headers["Location"].startswith("/session/proof/")
    keep_proof(client.cookies["session"].value)
    there = client.post("/account/recovery-codes/new/").headers["Location"]
    codes = CODE.findall(client.get(there).content.decode())
    assert count_recovery_codes(account.pk) == len(codes) == 10
    assert Client().post("/session/recovery/", {"handle": "ada", "code": former[0]}).status_code == 422
    assert Client().post("/session/recovery/", {"handle": "ada", "code": codes[0]}).status_code == 302


def test_notices_tell_their_owner_and_nobody_else_for_a_year() -> None:
    ada, ben = make_person("ada"), make_person("ben")
    notify(account=ada, text="The first thing.")
    with clock.moved(timedelta(seconds=1)):
        notify(account=ada, text="The second thing.")
    assert [told.text for told in list_notices(ada.pk)] == ["The second thing.", "The first thing."]
    assert list_notices(ben.pk) == []
    assert "The first thing." in signed_in_client(ada).get("/account/").content.decode()
    with clock.moved(timedelta(days=364)):
        assert purge_old_notices() == 0
    with clock.moved(timedelta(days=365)):
        assert purge_old_notices() == 2
