"""Where somebody is led after each way in and each proof: a page of this site, whatever the address said."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client

from accounts.device import Device
from accounts.test_second_factor import code_of, with_totp
from mindstage.accounts.sessions import keep_proof
from people import PASSPHRASE, make_person, signed_in_client

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
HOSTILE = [
    "https://elsewhere.example/",
    "//elsewhere.example/",
    "///elsewhere.example/",
    "/\\elsewhere.example/",
    "\\\\elsewhere.example/",
    "/\t/elsewhere.example/",
    "/\r\nSet-Cookie: session=x",
    "http:elsewhere.example",
    "javascript:alert(1)",
    " javascript:alert(1)",
    "data:text/html,x",
    "elsewhere.example",
    "characters/",
    "/x\u2028y",
]
"""None of these is a path on this site that anything here asks for."""
NICE = "/characters/?from=here"
EVERY = pytest.mark.parametrize(("wanted", "led_to"), [*[(one, "/") for one in HOSTILE], (NICE, NICE)])
SIGN_UP = {"handle": "ada", "age_band": "18_plus"}


def after_the_sheet(client: Client, there: str) -> str:
    """Where the page with the recovery codes leads; its address is one of this site and says so itself."""
    assert urlsplit(there)[:3] == ("", "", "/account/recovery-codes/")
    said = parse_qs(urlsplit(there).query)["next"]
    found = re.search(r'href="([^"]*)">I have kept them', client.get(there).content.decode())
    assert found
    assert [unescape(found[1])] == said
    return said[0]


@EVERY
def test_after_a_one_time_code(wanted: str, led_to: str) -> None:
    _, secret = with_totp()
    client = Client()
    client.post("/session/new/", {"handle": "ada", "passphrase": PASSPHRASE, "next": wanted})
    assert client.post("/session/code/", {"code": code_of(secret)}).headers["Location"] == led_to


@EVERY
def test_after_a_proof(wanted: str, led_to: str) -> None:
    client = signed_in_client(make_person("ada"))
    answer = client.post("/session/proof/", {"passphrase": PASSPHRASE, "next": wanted})
    assert answer.headers["Location"] == led_to


@EVERY
def test_after_each_use_of_a_passkey(wanted: str, led_to: str) -> None:
    """Sign-up and its sheet, a proof, a log-in: the script goes where the answer says."""
    device, client = Device(), Client()
    made = device.walk(client, "sign_up", **SIGN_UP, next=wanted).json()["next"]
    assert after_the_sheet(client, made) == led_to
    assert device.walk(client, "proof", next=wanted).json() == {"next": led_to}
    assert device.walk(Client(), "log_in", next=wanted).json() == {"next": led_to}


@EVERY
def test_after_a_sign_up_with_a_passphrase(wanted: str, led_to: str) -> None:
    client = Client()
    made = client.post("/account/new/", SIGN_UP | {"passphrase": PASSPHRASE, "next": wanted}).headers["Location"]
    assert after_the_sheet(client, made) == led_to


@EVERY
def test_the_sheet_itself(wanted: str, led_to: str) -> None:
    """Somebody for whom one waits may be sent to it by a link: it leads nowhere else either."""
    client = signed_in_client(make_person("ada"))
    keep_proof(client.cookies["session"].value)
    client.post("/account/recovery-codes/new/")
    page = client.get(f"/account/recovery-codes/?{urlencode({'next': wanted})}").content.decode()
    found = re.search(r'href="([^"]*)">I have kept them', page)
    assert found
    assert unescape(found[1]) == led_to
