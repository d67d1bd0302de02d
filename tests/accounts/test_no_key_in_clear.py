"""Secrets, codes, credential ids, names of passkeys and addresses: in no file and in no log line, however written."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from django.core import mail
from django.test import Client, override_settings
from playwright.sync_api import Page, expect

from accounts.test_email import code_in, wait_for_letters
from accounts.test_nothing_in_clear import read_files
from accounts.test_passkeys_browser import Authenticator
from accounts.test_recovery import CODE
from accounts.test_second_factor import code_of
from mindstage.accounts.models import Factor
from mindstage.datamap.scanner import Scanner
from mindstage.ops.jobs import run_next_job
from mindstage.vault import sealing

pytestmark = [
    pytest.mark.django_db(databases=["default", "keystore"], transaction=True),
    pytest.mark.usefixtures("vault"),
    pytest.mark.urls("accounts.urls_for_tests"),
]
PASSPHRASE = "velvet ferry 7741 moth"
HANDLE, ADDRESS, KEY_NAME = "Zyx Quovadimus", "planted.brambleton@example.org", "Planted telephone 5521"
FORM = {"handle": HANDLE, "passphrase": PASSPHRASE, "age_band": "18_plus"}


@pytest.fixture(autouse=True)
def mail_server() -> Iterator[None]:
    with override_settings(MAILERS={"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}):
        yield


def visit() -> list[str]:
    """Sign up, turn on codes, give an address, log in by each way, prove; everything secret that came by."""
    client = Client()
    sheet = CODE.findall(client.get(client.post("/account/new/", FORM).headers["Location"]).content.decode())
    client.post("/session/proof/", {"passphrase": PASSPHRASE})
    found = re.search(r"secret=([A-Z2-7]+)", client.get("/account/codes/").content.decode())
    assert found
    secret, first = found[1], code_of(found[1])
    assert client.post("/account/codes/", {"code": first}).status_code == 302
    client.post("/account/email/", {"address": ADDRESS})
    letter = code_in(wait_for_letters(1)[0])
    assert client.post("/account/email/code/", {"code": letter}).status_code == 302
    other = Client()
    other.post("/session/new/", FORM)
    assert other.post("/session/code/", {"code": sheet[0]}).status_code == 302
    lost = Client()
    lost.post("/session/recovery/mail/", {"address": ADDRESS})
    back = code_in(mail.outbox[-1] if len(mail.outbox) > 1 else wait_for_letters(2)[1])
    assert lost.post("/session/recovery/mail/code/", {"code": back}).status_code == 302
    assert lost.post("/session/code/", {"code": sheet[1]}).status_code == 302
    while run_next_job():
        pass
    waiting = Client()  # stays half-way in, so that its doorstep is on the disk too
    waiting.post("/session/new/", FORM)
    cookies = [
        one.cookies[name].value
        for one in (client, other, lost, waiting)
        for name in ("session", "door")
        if name in one.cookies and len(one.cookies[name].value) > 20
    ]
    codes = [*sheet, *(code.replace("-", "") for code in sheet), letter, back]
    return [HANDLE, PASSPHRASE, ADDRESS, ADDRESS.partition("@")[0], secret, *codes, *cookies]


def test_no_secret_is_in_any_file_or_log(caplog: pytest.LogCaptureFixture) -> None:
    """While a doorstep waits and after the letters went, in every spelling that the census's scanner knows."""
    caplog.set_level(logging.DEBUG)
    words = visit()
    scanner = Scanner(words)
    assert scanner.scan(read_files()) == set()
    assert scanner.scan(caplog.text.encode()) == set()


@pytest.mark.sqlite
def test_the_scan_would_see_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with a cipher that does nothing, secret, codes' hashes aside, handle and address are found."""

    class NoCipher(sealing.Cipher):
        def seal(self, key: bytes, plain: bytes, aad: bytes) -> sealing.Sealed:
            return sealing.Sealed(plain)

        def open(self, key: bytes, sealed: bytes, aad: bytes) -> bytes:
            return bytes(sealed)

    monkeypatch.setattr(sealing, "cipher", NoCipher())
    words = visit()
    seen = {sighting.word for sighting in Scanner(words).scan(read_files())}
    secret = next(word for word in words if re.fullmatch(r"[A-Z2-7]{32}", word))
    assert {HANDLE, ADDRESS, secret} <= seen
    assert PASSPHRASE not in seen


@pytest.mark.browser
def test_no_credential_is_in_any_file_or_log(
    open_page: Callable[..., Page], localhost: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its identifier in bytes, base64, base64url and hexadecimal; its name; the handle that the device keeps."""
    caplog.set_level(logging.INFO)
    page = open_page(f"{localhost}/account/new/")
    device = Authenticator(page)
    page.get_by_label("Handle").fill(HANDLE)
    page.locator("[name=age_band][value='18_plus']").check()
    page.get_by_role("button", name="Create with a passkey").click()
    page.wait_for_url("**/recovery-codes/**")
    page.goto(f"{localhost}/account/passkeys/")
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_label("Name of this passkey").fill(KEY_NAME)
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_label("Name of this passkey")).to_have_value(KEY_NAME)
    raw = base64.b64decode(device.credentials()[0]["credentialId"])
    assert Factor.objects.filter(kind="passkey").count() == 1
    forms = [raw, base64.urlsafe_b64encode(raw).rstrip(b"="), base64.b64encode(raw).rstrip(b"="), raw.hex().encode()]
    for content in (read_files(), caplog.text.encode()):
        assert not [form for form in forms if form in content]
        assert Scanner([HANDLE, KEY_NAME]).scan(content) == set()
