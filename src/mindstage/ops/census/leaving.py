"""Leaving: the erasure asked for on its page, and the receipt that comes in the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from mindstage.ledger.envelopes import claim_nonce
from mindstage.ledger.receipts import check_receipt, is_about
from mindstage.ledger.signed import NotGenuine
from mindstage.ops.census.browser import Unexpected
from mindstage.ops.census.passkey_doors import may_come_with_passkey
from mindstage.ops.census.visit import Visit
from mindstage.ops.census.ways_in import prove
from mindstage.ops.census.words import Fate

_LISTS: Final = ("/stories/", "/characters/", "/personas/", "/lorebooks/", "/scenarios/")
_ALWAYS: Final = ("/", "/account/", "/your-data/", *_LISTS)
_ITEM: Final = re.compile(r'href="(/(?:stories|characters|personas|lorebooks|scenarios)/[0-9a-f-]{36}/)')
_PARTS: Final = {
    "stories": ("", "names/", "branches/", "context/"),
    "characters": ("", "edit/"),
    "scenarios": ("", "edit/"),
}
_CLAIM: Final = re.compile(r">([0-9A-Z]{5}(?:-[0-9A-Z]{5}){4})<")


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks for the erasure of a visitor, on the pages, and brings the page that shows the claim code.

    `how` says so in the report.
    """

    how: str
    deed: Callable[[Visit], str]


def _ask_by_forms(visit: Visit) -> str:
    """By the plain forms of the pages, as a browser without scripts does. Raises Unexpected."""
    prove(visit.browser, visit.person.passphrase)
    visit.browser.get("/your-data/erasures/")
    wrong = visit.words.plant("handle of nobody, to be deleted", Fate.NEVER)
    visit.browser.post("/your-data/erasures/", {"handle": wrong}, expect=422)
    page = visit.browser.post("/your-data/erasures/", {"handle": visit.person.handle}, expect=200)
    return page.body.decode()


BY_FORMS: Final = Ask("by the plain forms of the pages, without a browser", _ask_by_forms)


def leave(visit: Visit, ask: Ask) -> str:
    """Ask, and note the claim code. Raises Unexpected."""
    found = _CLAIM.search(ask.deed(visit))
    if found is None:
        raise Unexpected("The page that freezes an account showed no claim code.")
    visit.words.add("claim code", found[1], Fate.NEVER)
    return found[1]


def fetch_receipt(visit: Visit, code: str) -> str:
    """Fetch the receipt with the claim code alone, and check it: what is wrong with it, or "". Raises Unexpected."""
    browser = visit.browser
    browser.get("/your-data/receipt/")
    receipt = browser.post("/your-data/receipt/", {"code": code, "act": "fetch"}, expect=200).body
    key = browser.get("/.well-known/mindstage-signing-key").body.decode()
    try:
        said = check_receipt(receipt, key=key)
    except NotGenuine as reason:
        return f"A receipt is not genuine: {reason}"
    if not is_about(said, handle=visit.person.handle, nonce=claim_nonce(code).hex()):
        return "A receipt is not about the account that was erased."
    if any(store["left"] for store in said["stores"]) or not said["stores"]:
        return "A receipt does not say that everything was found and cleared."
    if not said["verification"]["texts_tried"] or said["verification"]["texts_opened"]:
        return "A receipt does not say that texts were tried and that none opened."
    return ""


def may_sign_in(visit: Visit) -> bool:
    """Whether the visitor's handle and passphrase, or their passkey, still open a door. Raises Unexpected."""
    browser = visit.other
    browser.get("/session/new/")
    form = {"handle": visit.person.handle, "passphrase": visit.person.passphrase}
    by_passphrase = browser.try_post("/session/new/", form).status == 302
    return by_passphrase or may_come_with_passkey(browser, visit.words, visit.device)


def sign_in(visit: Visit) -> None:
    """Log in with the passphrase and a code off the sheet. Raises Unexpected."""
    browser = visit.other
    browser.get("/session/new/")
    browser.post("/session/new/", {"handle": visit.person.handle, "passphrase": visit.person.passphrase})
    browser.get("/session/code/")
    browser.post("/session/code/", {"code": visit.codes.pop()})


def read_again(visit: Visit) -> dict[str, bytes]:
    """Everything that a visitor can read of their own, page by page: what each showed. Raises Unexpected.

    A page that says that a text is damaged shows nothing.
    """
    browser = visit.other
    shown = {page: browser.try_get(page) for page in _ALWAYS}
    listed = {found for page in _LISTS for found in _ITEM.findall(shown[page].decode())}
    for item in sorted((listed | set(visit.pages)) - {visit.short_lived}):
        for part in _PARTS.get(item.split("/")[1], ("edit/",)):
            shown[item + part] = browser.try_get(item + part)
    return shown
