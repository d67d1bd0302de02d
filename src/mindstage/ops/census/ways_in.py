"""Ways to log in besides passphrase and passkey: each one added as its page asks for it."""

from __future__ import annotations

import re
from typing import Final

import pyotp

from mindstage.ops.census.browser import Browser, Unexpected
from mindstage.ops.census.mailbox import Mailbox
from mindstage.ops.census.words import Fate, Words

ADDRESS: Final = "e-mail address"
LETTER_CODE: Final = "code of a letter"
HANDLE: Final = "handle"
FIRST_HANDLE: Final = "handle before it was changed"
_SECRET: Final = re.compile(rb"secret=([A-Z2-7]{16,})")
_SHEET: Final = re.compile(rb"<code>([0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4})</code>")


def add_ways_in(browser: Browser, words: Words, mailbox: Mailbox, passphrase: str) -> list[str]:
    """An e-mail address, one-time codes, a sheet; the codes of the sheet. Raises Unexpected."""
    prove(browser, passphrase)
    _give_address(browser, words, mailbox)
    _turn_on_codes(browser, words)
    codes = _make_sheet(browser, words)
    browser.get("/account/")
    return codes


def prove(browser: Browser, passphrase: str) -> None:
    """Show again that it is the same person."""
    browser.get("/session/proof/")
    browser.post("/session/proof/", {"passphrase": passphrase, "next": "/account/"})


def _give_address(browser: Browser, words: Words, mailbox: Mailbox) -> None:
    word = words.plant(ADDRESS, Fate.SEALED, plain=True, shown=True)
    browser.get("/account/email/")
    no_address = words.plant("something that is no address", Fate.NEVER, plain=True)
    browser.post("/account/email/", {"address": no_address}, expect=422)
    browser.post("/account/email/", {"address": f"{word}@example.org"})
    browser.get("/account/email/code/")
    code = wait_for_letter(mailbox, word)
    words.add(LETTER_CODE, code, Fate.PASSING)
    browser.post("/account/email/code/", {"code": code})


def _turn_on_codes(browser: Browser, words: Words) -> None:
    found = _SECRET.search(browser.get("/account/codes/").body)
    if found is None:
        raise Unexpected("The page of one-time codes shows no key.")
    secret = words.add("key of one-time codes", found[1].decode(), Fate.SEALED)
    browser.post("/account/codes/", {"code": pyotp.TOTP(secret).now()})


def _make_sheet(browser: Browser, words: Words) -> list[str]:
    browser.get("/account/recovery-codes/")
    browser.post("/account/recovery-codes/new/", {})
    codes = [code.decode() for code in _SHEET.findall(browser.get("/account/recovery-codes/").body)]
    for number, code in enumerate(codes, 1):
        words.add(f"recovery code {number}", code, Fate.PASSING)
    return codes


def wait_for_letter(mailbox: Mailbox, address: str, *, after: int = 0) -> str:
    """The code of the first letter to this address `after` so many letters. Raises Unexpected."""
    try:
        return mailbox.code_for(address, after=after)
    except TimeoutError:
        raise Unexpected("The letter with the code did not come.") from None
