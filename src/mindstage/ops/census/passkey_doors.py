"""Every door that opens with a passkey: signing up, adding one, logging in, and showing again that it is you."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from mindstage.ops.census.browser import Answer, Browser, Unexpected
from mindstage.ops.census.passkey import Device
from mindstage.ops.census.words import Fate, Words

IDENT: Final = "id of a passkey"
NAME: Final = "name of a passkey, corrected"
REFUSED: Final = 422


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a page asks of the server for a passkey, and of a device: whatever of it is text counts as a word."""

    browser: Browser
    words: Words
    device: Device

    def walk(self, what: str, *, expect: int = 200, **fields: str) -> Answer:
        """Begin and end it. Raises Unexpected."""
        answer = self.attempt(what, **fields)
        if answer.status != expect:
            raise Unexpected(f"A passkey was shown, to {what}, and answered with {answer.status} instead of {expect}.")
        return answer

    def attempt(self, what: str, **fields: str) -> Answer:
        """The same, whatever comes of it. Raises Unexpected when it cannot begin."""
        here = as_localhost(self.browser)
        offered = self.browser.post("/passkey/options/", {"what": what, **fields}, expect=200, headers=here)
        options = json.loads(offered.body)
        self.words.add("challenge to a passkey", options["publicKey"]["challenge"], Fate.PASSING)
        answer = self.device.answer(options, origin=here["Origin"])
        if signature := answer["response"].get("signature"):
            self.words.add("signature of a passkey", signature, Fate.NEVER)
        return self.browser.try_post("/passkey/", {"credential": json.dumps(answer)}, headers=here)


def sign_up_with_passkey(browser: Browser, words: Words, handle: str) -> Device:
    """After a child is refused and a ceremony goes wrong; leads to a sheet of codes. Raises Unexpected."""
    here = as_localhost(browser)
    browser.get("/account/new/")
    child = {"handle": words.plant("handle of a child with a passkey", Fate.NEVER), "age_band": "under_13"}
    browser.post("/passkey/options/", {"what": "sign_up", **child}, expect=REFUSED, headers=here)
    given_up = {"handle": words.plant("handle of a sign-up that was given up", Fate.PASSING), "age_band": "18_plus"}
    browser.post("/passkey/options/", {"what": "sign_up", **given_up}, expect=200, headers=here)
    nonsense = words.plant("passkey that is none", Fate.NEVER)
    browser.post("/passkey/", {"credential": json.dumps({"id": nonsense})}, expect=REFUSED, headers=here)
    device = Device(words.plant(f"{IDENT} that signed up", Fate.SEALED, plain=True))
    target = f"/?{words.plant('address to go on to, with a passkey', Fate.PASSING, plain=True)}"
    made = Ceremony(browser, words, device).walk("sign_up", handle=handle, age_band="18_plus", next=target)
    browser.get(json.loads(made.body)["next"].partition("?")[0])
    return device


def add_passkey(browser: Browser, words: Words) -> Device:
    """On the page for it, and give it another name. The person has just shown who they are. Raises Unexpected."""
    name = words.plant("name of a passkey", Fate.PASSING, shown=True)
    device = Device(words.plant(IDENT, Fate.SEALED, plain=True))
    browser.get("/account/passkeys/")
    Ceremony(browser, words, device).walk("add", name=name)
    corrected = words.plant(NAME, Fate.SEALED, shown=True)
    browser.post(_address_of(browser.get("/account/passkeys/").body, name), {"name": corrected})
    browser.get("/account/passkeys/")
    return device


def come_with_passkey(browser: Browser, words: Words, device: Device) -> None:
    """From another browser: an unknown passkey, then the right one, which also opens what asks once more."""
    browser.get("/session/new/")
    stranger = Device(words.plant(f"{IDENT} of nobody", Fate.NEVER, plain=True))
    Ceremony(browser, words, stranger).walk("log_in", expect=REFUSED)
    log_in = Ceremony(browser, words, device)
    target = words.plant("address to go on to, logged in with a passkey", Fate.PASSING, plain=True)
    log_in.walk("log_in", next=f"/?{target}")
    prove_with_passkey(browser, words, device)
    browser.get("/account/passkeys/")
    browser.post("/session/end/", {})


def prove_with_passkey(browser: Browser, words: Words, device: Device) -> None:
    """Show again that it is the same person; a stranger's passkey does not. Raises Unexpected."""
    browser.get("/session/proof/")
    stranger = Device(words.plant(f"{IDENT} of nobody, as a proof", Fate.NEVER, plain=True))
    Ceremony(browser, words, stranger).walk("proof", expect=REFUSED)
    Ceremony(browser, words, device).walk("proof", next="/account/")


def may_come_with_passkey(browser: Browser, words: Words, device: Device) -> bool:
    """Whether it still opens the door; nobody stays inside. Raises Unexpected."""
    browser.get("/session/new/")
    if Ceremony(browser, words, device).attempt("log_in").status != 200:
        return False
    browser.get("/account/")
    browser.post("/session/end/", {})
    return True


def as_localhost(browser: Browser) -> dict[str, str]:
    """The headers of a request under the loopback name: an address made of digits has no passkeys."""
    return {"Host": f"localhost:{browser.port}", "Origin": f"http://localhost:{browser.port}"}


def _address_of(page: bytes, name: str) -> str:
    """Where the passkey of this name is given another. Raises Unexpected."""
    for item in page.split(b"<li"):
        if name.encode() in item and (found := re.search(rb'"(/account/passkeys/[0-9a-f-]{36}/)"', item)):
            return found[1].decode()
    raise Unexpected("The passkey that was made is not on the list.")
