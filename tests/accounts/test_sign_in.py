"""Logging in: one answer for everything that is wrong, after equal work, and not too often."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.test import Client

from cheap_hasher import CheapArgon2PasswordHasher
from mindstage.accounts import rate_limits
from mindstage.accounts.access import safe_next
from mindstage.accounts.models import Session, User
from mindstage.accounts.rate_limits import Limit, TooManyTries, count_try, forget_tries, network_of
from mindstage.accounts.sign_in import sign_in
from mindstage.kit import clock
from people import PASSPHRASE, make_person

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"]),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
ADA = {"handle": "ADA", "passphrase": PASSPHRASE}


def test_handle_in_any_casing_and_passphrase_lead_in() -> None:
    make_person("Ada")
    client = Client()
    response = client.post("/session/new/", ADA | {"next": "/characters/"})
    assert (response.status_code, response.headers["Location"]) == (302, "/characters/")
    assert client.get("/account/").status_code == 200


def test_every_wrong_try_gets_the_same_answer() -> None:
    """Wrong passphrase, unknown handle, impossible handle, account that is being erased: one status, one page."""
    make_person("ada")
    User.objects.filter(pk=make_person("ben").pk).update(state=User.State.DESTROYING)
    tries = [("ada", "not the right one"), ("nobody", PASSPHRASE), ("?" * 24, PASSPHRASE), ("ben", PASSPHRASE)]
    pages = set()
    for handle, passphrase in tries:
        response = Client().post("/session/new/", {"handle": handle, "passphrase": passphrase})
        assert response.status_code == 422
        assert "session" not in response.cookies
        page = response.content.decode()
        assert passphrase not in page
        page = re.sub(r'value="[^"]*"|nonce="[^"]*"', "", page)
        pages.add(page)
    assert len(pages) == 1
    assert not Session.objects.exists()


def test_an_unknown_handle_costs_the_same_work(monkeypatch: pytest.MonkeyPatch, django_assert_num_queries) -> None:  # type: ignore[no-untyped-def]
    """One query and one run of the slow hash, whether or not the handle exists."""
    make_person("ada")
    runs = []
    for name in ("encode", "verify"):
        real = getattr(CheapArgon2PasswordHasher, name)

        def counted(self, *args, real=real):  # type: ignore[no-untyped-def]
            runs.append(1)
            return real(self, *args)

        monkeypatch.setattr(CheapArgon2PasswordHasher, name, counted)
    for handle in ("ada", "nobody"):
        runs.clear()
        with django_assert_num_queries(1):
            assert sign_in(handle=handle, passphrase="not the right one") is None
        assert len(runs) == 1


@pytest.mark.parametrize("handle", ["ada", "nobody"])
def test_after_ten_wrong_tries_the_next_waits(handle: str) -> None:
    """Ten wrong passphrases in a quarter of an hour; then also the right one waits, and the page says how long."""
    make_person("ada")
    wrong = {"handle": handle, "passphrase": "wrong wrong wrong"}
    with clock.moved(timedelta(seconds=60 - clock.timestamp() % 60)):  # tries are counted by the minute: one just began
        for _ in range(10):
            assert Client().post("/session/new/", wrong).status_code == 422
        response = Client().post("/session/new/", {"handle": handle.upper(), "passphrase": PASSPHRASE})
        assert response.status_code == 429
        assert 840 < int(response.headers["Retry-After"]) <= 900
        assert "try again in 15 minutes" in response.content.decode()
        with clock.moved(timedelta(seconds=int(response.headers["Retry-After"]) + 1)):
            assert (sign_in(handle=handle, passphrase=PASSPHRASE) is not None) == (handle == "ada")


def test_the_limits_are_those_that_are_told() -> None:
    """In numbers, where the documentation says how often each thing may be tried."""
    said = (Path(__file__).parents[2] / "docs" / "subsystems" / "signing-in.md").read_text()
    most = {name: limit.most for name, limit in vars(rate_limits).items() if isinstance(limit, Limit)}
    assert (
        "{PASSPHRASES_OF_A_HANDLE} passphrases and {CODES_OF_A_HANDLE} codes of a handle in any spelling, "
        "{PASSPHRASES_OF_A_NETWORK} of a network, {PASSKEYS_OF_A_NETWORK} challenges and {SIGN_UPS_OF_A_NETWORK} "
        "sign-ups of a network, {LETTERS_TO_AN_ADDRESS} letters to an address and {LETTERS_OF_A_NETWORK} of a network"
    ).format(**most) in said
    assert most["CODES_OF_A_NETWORK"] == most["PASSPHRASES_OF_A_NETWORK"]


def test_waiting_is_not_made_longer_by_trying() -> None:
    """A refused try is not counted."""
    limit = Limit("test", 2)
    count_try(limit, b"x")
    count_try(limit, b"x")
    waits = []
    for minutes in (0, 5, 10):
        with clock.moved(timedelta(minutes=minutes)), pytest.raises(TooManyTries) as caught:
            count_try(limit, b"x")
        waits.append(caught.value.retry_after)
    assert waits[0] - waits[1] in range(299, 302)
    assert waits[1] - waits[2] in range(299, 302)
    with clock.moved(timedelta(minutes=15, seconds=1)):
        count_try(limit, b"x")


def test_the_right_passphrase_begins_the_count_anew() -> None:
    limit = Limit("test", 1)
    count_try(limit, b"x")
    forget_tries(limit, b"x")
    count_try(limit, b"x")


def test_a_network_has_a_limit_of_its_own() -> None:
    """Many handles from one network are many tries of one network; another network is not concerned."""
    one, other = network_of("192.0.2.7"), network_of("198.51.100.1")
    for number in range(60):
        sign_in(handle=f"nobody{number}", passphrase=PASSPHRASE, network=one)
    with pytest.raises(TooManyTries):
        sign_in(handle="somebody", passphrase=PASSPHRASE, network=one)
    assert sign_in(handle="somebody", passphrase=PASSPHRASE, network=other) is None


def test_a_network_is_a_pseudonym_of_its_prefix_for_a_day() -> None:
    """Neighbours share it, tomorrow it is another, and nothing of the address is in it or in the cache's keys."""
    assert network_of("192.0.2.7") == network_of("192.0.2.250") == network_of("::ffff:192.0.2.1")
    assert network_of("192.0.2.7") != network_of("192.0.3.7")
    assert network_of("2001:db8:1::1") == network_of("2001:db8:1:ffff::2") != network_of("2001:db8:2::1")
    assert network_of("") == network_of("no address") == network_of("unix:")
    today = network_of("192.0.2.7")
    with clock.moved(timedelta(days=1)):
        assert network_of("192.0.2.7") != today
    sign_in(handle="Planted", passphrase=PASSPHRASE, network=today)
    kept = repr(cache._cache).lower()  # type: ignore[attr-defined]
    assert "planted" not in kept
    assert "192.0" not in kept


@pytest.mark.parametrize(
    ("target", "leads_to"),
    [
        ("/stories/1/?a=b#c", "/stories/1/?a=b#c"),
        ("/", "/"),
        ("", "/"),
        ("stories/", "/"),
        ("//evil.example/", "/"),
        ("///evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        (" //evil.example", "/"),
        ("http://evil.example/", "/"),
        ("http://testserver/", "/"),
        ("https:evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("data:text/html,x", "/"),
    ],
)
def test_next_never_leads_away(target: str, leads_to: str) -> None:
    """Only a path of this site is followed after log-in."""
    assert safe_next(target) == leads_to
    make_person("ada")
    assert Client().post("/session/new/", ADA | {"next": target}).headers["Location"] == safe_next(target.strip())


def test_forms_need_their_token() -> None:
    """Log-in, sign-up and log-out from another site's form are refused."""
    make_person("ada")
    client = Client(enforce_csrf_checks=True)
    for path in ("/session/new/", "/account/new/", "/session/end/"):
        assert client.post(path, ADA).status_code == 403
    token = client.get("/session/new/").context["csrf_token"]
    before = client.cookies["csrf"].value
    assert client.post("/session/new/", ADA | {"csrfmiddlewaretoken": str(token)}).status_code == 302
    assert client.cookies["csrf"].value != before


def test_visitors_without_an_account_get_no_session() -> None:
    """Looking around stores nothing and sets no cookie but the form's."""
    client = Client()
    client.get("/")
    client.get("/session/new/")
    client.get("/account/")
    assert set(client.cookies) <= {"csrf"}
    assert not Session.objects.exists()


@pytest.mark.parametrize("path", ["/session/new/", "/account/new/"])
def test_whoever_opened_the_address_in_numbers_is_led_to_where_passkeys_are(path: str) -> None:
    """Browsers offer none at 127.0.0.1: without the hint a person with nothing but a passkey stands outside."""
    for host, led in (("127.0.0.1:8470", True), ("localhost:8470", False), ("house.example", False)):
        page = Client(headers={"Host": host}).get(path).content.decode()
        assert (f'href="http://localhost:8470{path}"' in page) == led, host
