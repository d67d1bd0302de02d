"""Whoever owns an account is told of each thing that was done with its keys, its data or its end."""

from __future__ import annotations

from collections.abc import Callable

import pyotp
import pytest
from django.conf import settings

from accounts.test_passkeys import with_passkeys
from mindstage.accounts.email import keep_address, remove_address
from mindstage.accounts.models import User
from mindstage.accounts.notices import list_notices
from mindstage.accounts.passkeys import find_site, remove_passkey, rename_passkey
from mindstage.accounts.recovery_codes import make_recovery_codes, spend_recovery_code
from mindstage.accounts.renaming import change_handle
from mindstage.accounts.sessions import keep_proof
from mindstage.accounts.sign_in import change_passphrase
from mindstage.accounts.totp import make_totp_secret, turn_off_totp, turn_on_totp
from mindstage.accounts.without_passphrase import remove_passphrase
from mindstage.rights.ages import correct_age_band
from mindstage.rights.erasure import cancel_erasure, request_erasure, request_of
from mindstage.rights.export import request_export
from people import PASSPHRASE, make_person, signed_in_client

pytestmark = pytest.mark.django_db(databases=["default", "keystore"])


def change(person: User) -> None:
    change_passphrase(account=person, old=PASSPHRASE, new="other words of velvet", device="computer")


def turn_codes_on(person: User) -> None:
    secret = make_totp_secret()
    turn_on_totp(account=person, secret=secret, code=pyotp.TOTP(secret).now())


def turn_codes_off(person: User) -> None:
    turn_codes_on(person)
    turn_off_totp(account=person)


def use_a_code(person: User) -> None:
    assert spend_recovery_code(person, make_recovery_codes(account=person)[0])


def give_address(person: User) -> None:
    keep_address(account=person, address="ada@letters.example")


def take_address_back(person: User) -> None:
    give_address(person)
    remove_address(account=person)


def ask_to_erase(person: User) -> None:
    request_erasure(person.pk)


def call_it_off(person: User) -> None:
    request_erasure(person.pk)
    row = request_of(person.pk)
    assert row
    cancel_erasure(row)


def freeze(person: User) -> None:
    client = signed_in_client(person)
    keep_proof(client.cookies[settings.SESSION_COOKIE_NAME].value)
    answer = client.post("/your-data/freeze/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'


def thaw(person: User) -> None:
    freeze(person)
    signed_in_client(person).post("/your-data/freeze/end/")


def name_a_passkey(person: User) -> None:
    rename_passkey(account=person, ident=with_passkeys(person, 1)[0], name="Telephone")


def remove_a_passkey(person: User) -> None:
    remove_passkey(account=person, ident=with_passkeys(person, 1)[0], site=None)


def go_without_a_passphrase(person: User) -> None:
    with_passkeys(person, 1)
    make_recovery_codes(account=person)
    remove_passphrase(account=person, site=find_site("localhost", secure=False), device="computer")


@pytest.mark.parametrize(
    ("deed", "told"),
    [
        (name_a_passkey, "A passkey was given another name"),
        (remove_a_passkey, "A passkey was removed"),
        (go_without_a_passphrase, "The passphrase was removed"),
        (lambda person: change_handle(account=person, handle="adeline"), "Your handle was changed"),
        (change, "The passphrase was changed"),
        (turn_codes_on, "asks for a one-time code"),
        (turn_codes_off, "One-time codes were turned off"),
        (lambda person: make_recovery_codes(account=person), "A new sheet of recovery codes"),
        (use_a_code, "A recovery code was used"),
        (give_address, "An e-mail address was added"),
        (take_address_back, "The e-mail address was removed"),
        (lambda person: request_export(owner=person.pk), "An export of your data was asked for"),
        (ask_to_erase, "Your account was frozen and will be deleted on"),
        (call_it_off, "The deletion of your account was called off"),
        (lambda person: correct_age_band(person=person.pk, age_band="13_17"), "Your age band was corrected"),
        (freeze, "Your account was frozen"),
        (thaw, "Your account is no longer frozen"),
    ],
)
def test_each_tells_the_owner_and_nobody_else(vault: None, deed: Callable[[User], object], told: str) -> None:
    """One notice, the newest, on the account page (and by letter, where an address is known); Ben hears nothing."""
    ada, ben = make_person("ada"), make_person("ben")
    deed(ada)
    assert any(told in notice.text for notice in list_notices(ada.pk)[:2])
    assert list_notices(ben.pk) == []
