"""Passkeys in a real browser, with a virtual authenticator: make an account, log in, add, rename, prove, remove."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from mindstage.accounts.models import Doorstep, Factor, Session, User
from mindstage.accounts.recovery_codes import make_recovery_codes
from mindstage.accounts.sessions import begin_session, find_session
from mindstage.accounts.sign_in import has_passphrase
from mindstage.vault.purposes import Purpose
from people import PASSPHRASE, make_person

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
Open = Callable[..., Page]


class Authenticator:
    """What stands for a phone or a security key: it keeps passkeys and says yes to everything."""

    def __init__(self, page: Page) -> None:
        self.cdp: Any = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self.id = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def credentials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})[
            "credentials"
        ]
        return found

    def add(self, credential: dict[str, Any]) -> None:
        self.cdp.send("WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential})

    def clear(self) -> None:
        self.cdp.send("WebAuthn.clearCredentials", {"authenticatorId": self.id})

    def refuse(self) -> None:
        self.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": False})


def sign_up_by_passkey(page: Page, handle: str = "ada") -> None:
    page.get_by_label("Handle").fill(handle)
    page.locator("[name=age_band][value='18_plus']").check()
    page.get_by_role("button", name="Create with a passkey").click()


def signed_up(page: Page, handle: str = "ada") -> None:
    sign_up_by_passkey(page, handle)
    page.wait_for_url("**/recovery-codes/**")


def log_out(page: Page) -> None:
    page.context.clear_cookies()


def test_an_account_without_a_passphrase(open_page: Open, localhost: str) -> None:
    """Sign up and log in by passkey alone: no passphrase, no handle typed at the log-in; the sheet comes in between."""
    page = open_page(f"{localhost}/account/new/?next=/account/")
    device = Authenticator(page)
    expect(page.get_by_label("Your passphrase")).to_be_hidden()
    signed_up(page)
    expect(page.locator(".sheet li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")
    expect(page.locator(".facts")).to_contain_text("ada")
    account = User.objects.get()
    assert not has_passphrase(account)
    (kept,) = device.credentials()
    assert kept["isResidentCredential"]
    assert kept["userHandle"]
    assert not Doorstep.objects.exists()
    log_out(page)
    page.goto(f"{localhost}/session/new/?next=/account/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")


def test_a_cancelled_ceremony_takes_no_handle(open_page: Open, localhost: str) -> None:
    """Nothing is stored, the page says so, and the same handle is free a moment later."""
    page = open_page(f"{localhost}/account/new/")
    device = Authenticator(page)
    device.refuse()
    sign_up_by_passkey(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    assert not User.objects.exists()
    device.cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device.id, "isUserVerified": True})
    signed_up(page)
    assert User.objects.count() == 1


def test_what_is_wrong_is_said_before_the_device_is_asked(open_page: Open, localhost: str) -> None:
    """A taken handle and a child: one sentence each, no passkey is made, nothing is stored."""
    make_person("ada")
    page = open_page(f"{localhost}/account/new/")
    device = Authenticator(page)
    sign_up_by_passkey(page, "ADA")
    expect(page.get_by_role("alert")).to_contain_text("taken")
    page.locator("[name=age_band][value='under_13']").check()
    page.get_by_role("button", name="Create with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("13 and older")
    assert device.credentials() == []
    assert User.objects.count() == 1


def test_the_passphrase_is_one_choice_away(open_page: Open, localhost: str) -> None:
    """On the same form, which then goes its ordinary way."""
    page = open_page(f"{localhost}/account/new/")
    page.get_by_label("Handle").fill("ada")
    page.get_by_role("radio", name="Passphrase").check()
    page.get_by_label("Your passphrase").fill(PASSPHRASE)
    page.locator("[name=age_band][value='18_plus']").check()
    page.get_by_role("button", name="Create the account").click()
    page.wait_for_url("**/recovery-codes/**")
    assert has_passphrase(User.objects.get())


def test_without_a_name_no_passkey_is_offered(open_page: Open, localhost: str) -> None:
    """Under an address of digits browsers allow none: the form asks for a passphrase and points to localhost."""
    page = open_page(f"{localhost.replace('localhost', '127.0.0.1')}/account/new/")
    expect(page.get_by_label("Passphrase")).to_be_visible()
    expect(page.get_by_role("radio", name="Passkey")).to_have_count(0)
    page.get_by_role("link", name="localhost").click()
    page.wait_for_url(f"{localhost}/account/new/")
    expect(page.get_by_role("radio", name="Passkey")).to_be_visible()


def test_add_rename_and_remove(open_page: Open, localhost: str) -> None:
    """Behind a proof by passphrase; the notices tell of each; other sessions end with a removal."""
    account = make_person("ada")
    page = open_page(f"{localhost}/session/new/?next=/account/passkeys/")
    Authenticator(page)
    page.get_by_label("Handle").fill("ada")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Show again that it is you")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Go on", exact=True).click()
    page.get_by_label("What to call it").fill("Planted telephone")
    page.get_by_role("button", name="Add a passkey").click()
    name = page.get_by_label("Name of this passkey")
    expect(name).to_have_value("Planted telephone")
    page.get_by_label("What to call it").fill("Twice")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("holds a passkey for this account already")
    name.fill("Kitchen tablet")
    page.get_by_role("button", name="Rename").click()
    expect(name).to_have_value("Kitchen tablet")
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("You have none.")).to_be_visible()
    page.goto(f"{localhost}/account/")
    for told in ("A passkey was added.", "given another name", "A passkey was removed."):
        expect(page.locator("body")).to_contain_text(told)
    assert not Factor.objects.filter(account=account, kind="passkey").exists()


def test_the_last_way_in_stays(open_page: Open, localhost: str) -> None:
    """An account without a passphrase keeps its only passkey; with a passphrase beside it, it may go."""
    page = open_page(f"{localhost}/account/new/")
    Authenticator(page)
    signed_up(page)
    page.goto(f"{localhost}/account/passkeys/")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("alert")).to_contain_text("no other passkey of yours works at this address")
    assert Factor.objects.filter(kind="passkey").count() == 1
    page.goto(f"{localhost}/account/")
    page.get_by_label("New passphrase").fill("other words of velvet")
    page.get_by_role("button", name="Add the passphrase").click()
    page.goto(f"{localhost}/account/passkeys/")
    page.get_by_label("Passphrase").fill("other words of velvet")
    page.get_by_role("button", name="Go on", exact=True).click()
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("You have none.")).to_be_visible()


def test_going_on_without_a_passphrase(open_page: Open, localhost: str) -> None:
    """With a passkey and codes the passphrase may go: this browser stays in, others are out, the passkey logs in."""
    account = make_person("ada")
    make_recovery_codes(account=account)
    elsewhere = begin_session(account, "phone")
    page = open_page(f"{localhost}/session/new/?next=/account/passkeys/")
    Authenticator(page)
    page.get_by_label("Handle").fill("ada")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Go on", exact=True).click()
    page.get_by_label("What to call it").fill("Telephone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_label("Name of this passkey")).to_have_value("Telephone")
    page.goto(f"{localhost}/account/")
    page.get_by_role("button", name="Remove the passphrase").click()
    expect(page.get_by_text("You log in with a passkey.", exact=False).first).to_be_visible()
    expect(page.locator(".facts")).to_contain_text("None: you log in with a passkey.")
    expect(page.get_by_role("button", name="Remove the passphrase")).to_have_count(0)
    expect(page.locator("body")).to_contain_text("The passphrase was removed, and every session ended with it.")
    assert not has_passphrase(User.objects.get())
    assert find_session(elsewhere) is None
    log_out(page)
    page.goto(f"{localhost}/session/new/?next=/account/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your account")


def test_a_copy_of_a_passkey_is_noticed(open_page: Open, localhost: str) -> None:
    """A counter that did not go up: refused, and nobody is signed in."""
    page = open_page(f"{localhost}/account/new/")
    device = Authenticator(page)
    signed_up(page)
    copy = device.credentials()[0]
    log_out(page)
    page.goto(f"{localhost}/session/new/?next=/account/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{localhost}/account/")
    Session.objects.all().delete()
    log_out(page)
    device.clear()
    device.add(copy)
    page.goto(f"{localhost}/session/new/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("not known here")
    assert not Session.objects.exists()


def test_an_answer_serves_once_and_for_its_own_browser(
    open_page: Open, localhost: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The very answer of a good log-in, sent again: refused. No log line tells the credential."""
    caplog.set_level(logging.INFO)
    page = open_page(f"{localhost}/account/new/")
    device = Authenticator(page)
    signed_up(page)
    log_out(page)
    page.goto(f"{localhost}/session/new/?next=/account/")
    with page.expect_request("**/passkey/") as caught:
        page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{localhost}/account/")
    before = Session.objects.count()
    token = page.locator("[name=csrfmiddlewaretoken]").first.input_value()
    sent = caught.value.post_data or ""
    credential = sent.partition('name="credential"')[2].split("\r\n")[2]
    status, said = page.evaluate(
        """async ([token, credential]) => {
            const body = new FormData();
            body.set("csrfmiddlewaretoken", token);
            body.set("credential", credential);
            const answer = await fetch("/passkey/", { method: "POST", body });
            return [answer.status, (await answer.json()).say];
        }""",
        [token, credential],
    )
    assert (status, "done before" in said) == (422, True)
    assert Session.objects.count() == before
    kept = json.loads(Factor.objects.get(kind="passkey").open("sealed", Purpose.SIGN_IN))
    assert kept["count"] > 0
    assert device.credentials()[0]["credentialId"]
    assert "redential" not in caplog.text
