"""What somebody does who changes a way in, goes without one, or has lost it: each right once, and wrong before that."""

from __future__ import annotations

from typing import Final

from mindstage.ops.census.browser import Browser
from mindstage.ops.census.mailbox import Mailbox
from mindstage.ops.census.passkey_doors import as_localhost
from mindstage.ops.census.ways_in import ADDRESS, HANDLE, LETTER_CODE, prove, wait_for_letter
from mindstage.ops.census.words import Fate, Words

LONGER_THAN_A_HANDLE: Final = 3


def correct_age(browser: Browser, words: Words) -> None:
    """Younger, and back, after what is no age band. Raises Unexpected."""
    browser.get("/your-data/age/")
    browser.post("/your-data/age/", {"age_band": words.plant("age band that is none", Fate.NEVER)}, expect=422)
    for band in ("13_17", "18_plus"):
        browser.post("/your-data/age/", {"age_band": band})


def change_handle(browser: Browser, words: Words) -> str:
    """Another handle, after one that is refused. Raises Unexpected."""
    refused = words.plant("another handle that is refused", Fate.NEVER) * LONGER_THAN_A_HANDLE
    browser.get("/account/handle/")
    browser.post("/account/handle/", {"handle": refused}, expect=422)
    handle = words.plant(HANDLE, Fate.SEALED, shown=True)
    browser.post("/account/handle/", {"handle": handle})
    browser.get("/account/")
    return handle


def go_without_passphrase(browser: Browser, words: Words, codes: list[str]) -> str:
    """Remove it, prove with a code off the sheet, and set a new one: that. Raises Unexpected."""
    browser.get("/account/")
    browser.post("/account/passphrase/removal/", {}, headers=as_localhost(browser))
    browser.get("/session/proof/")
    wrong = words.plant("wrong code as a proof", Fate.NEVER, plain=True)
    browser.post("/session/proof/", {"code": wrong, "next": "/account/"}, expect=422)
    browser.post("/session/proof/", {"code": codes.pop(), "next": "/account/"})
    passphrase = f"kettle {words.plant('passphrase after there was none', Fate.NEVER)} fern"
    browser.get("/account/")
    browser.post("/account/passphrase/", {"old": "", "new": passphrase})
    return passphrase


def freeze_and_thaw(browser: Browser, handle: str, passphrase: str, codes: list[str]) -> None:
    """Freeze the account, log in again, and thaw it. Raises Unexpected."""
    prove(browser, passphrase)
    browser.get("/your-data/")
    browser.post("/your-data/freeze/", {}, expect=200)
    browser.get("/session/new/")
    browser.post("/session/new/", {"handle": handle, "passphrase": passphrase})
    browser.get("/session/code/")
    browser.post("/session/code/", {"code": codes.pop()})
    browser.get("/your-data/")
    browser.post("/your-data/freeze/end/", {})
    prove(browser, passphrase)


def come_back(browser: Browser, words: Words, mailbox: Mailbox, handle: str, codes: list[str]) -> None:
    """From another browser: with a code off the sheet, and with a letter. Raises Unexpected."""
    browser.get("/session/recovery/")
    wrong = {
        "handle": words.plant("handle of nobody, to come back", Fate.NEVER),
        "code": words.plant("recovery code that is none", Fate.NEVER, plain=True),
    }
    browser.post("/session/recovery/", wrong, expect=422)
    browser.post("/session/recovery/", {"handle": handle, "code": codes.pop()})
    browser.post("/session/end/", {})
    _come_back_by_letter(browser, words, mailbox)


def _come_back_by_letter(browser: Browser, words: Words, mailbox: Mailbox) -> None:
    """As far as the one-time code that is asked for after it."""
    address = next(one.word for one in words.planted if one.slot == ADDRESS)
    nobody = words.plant("address of nobody, to come back", Fate.NEVER, plain=True)
    browser.get("/session/recovery/mail/")
    browser.post("/session/recovery/mail/", {"address": f"{nobody}@example.org"})
    before = len(mailbox.letters)
    browser.post("/session/recovery/mail/", {"address": f"{address}@example.org"})
    browser.get("/session/recovery/mail/code/")
    wrong = words.plant("code of a letter that is none", Fate.NEVER, plain=True)
    browser.post("/session/recovery/mail/code/", {"code": wrong}, expect=422)
    code = wait_for_letter(mailbox, address, after=before)
    words.add(LETTER_CODE, code, Fate.PASSING)
    browser.post("/session/recovery/mail/code/", {"code": code})
    second = words.plant("second factor that is none", Fate.NEVER, plain=True)
    browser.get("/session/code/")
    browser.post("/session/code/", {"code": second}, expect=422)
