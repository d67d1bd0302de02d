"""A whole visit, with a word of its own in everything that a person, a browser or a narrator can say."""

from __future__ import annotations

import re
import secrets
import socket
import time
import uuid
from dataclasses import dataclass
from typing import Final

from mindstage.ops.census.browser import Browser, Unexpected
from mindstage.ops.census.card import KEY, make_card, make_picture, make_refused_card
from mindstage.ops.census.mailbox import Mailbox
from mindstage.ops.census.materials import keep_materials
from mindstage.ops.census.narrator import Narrator
from mindstage.ops.census.passkey import Device
from mindstage.ops.census.passkey_doors import (
    add_passkey,
    come_with_passkey,
    prove_with_passkey,
    sign_up_with_passkey,
)
from mindstage.ops.census.takeout import Takeout
from mindstage.ops.census.ways_back import (
    change_handle,
    come_back,
    correct_age,
    freeze_and_thaw,
    go_without_passphrase,
)
from mindstage.ops.census.ways_in import FIRST_HANDLE, add_ways_in, prove
from mindstage.ops.census.words import Fate, Words

MODES: Final = ("do", "say", "story", "ooc")
_SCENARIO = re.compile(rb"/scenarios/([a-z0-9-]+)/")
ENDED: Final = ("name in a story that is ended", "turn of a story that is ended", "reply of a story that is ended")
"""What is written in a story that its author ends at once and for good, and stays."""
TOO_LONG: Final = 17_000
HERE: Final = "127.0.0.1"
SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Person:
    handle: str
    passphrase: str


class Visit:
    """Everything in the order in which a person would do it. `shown` holds all that pages showed.

    `by_passkey`: signs up without a passphrase, and gives the account one later.
    """

    def __init__(
        self, *, port: int, words: Words, narrator: Narrator, mailbox: Mailbox, by_passkey: bool = False
    ) -> None:
        self.words = words
        self.narrator = narrator
        self.mailbox = mailbox
        self.person = Person("", "")
        self.by_passkey = by_passkey
        self.device: Device
        """What keeps the passkey that was added on the account page."""
        self.codes: list[str] = []
        self.pages: list[str] = []
        self.short_lived = ""
        """The address of a story that is to be ended while its author stays."""
        self.browser = _browser(port, words, "browser")
        self.other = _browser(port, words, "other browser")
        self._takeout = Takeout(self.browser, words)

    @property
    def shown(self) -> bytes:
        return bytes(self.browser.shown + self.other.shown)

    def go(self) -> None:
        """Do it all, but for what has to wait. Raises Unexpected."""
        self.person = self._sign_up_by_passkey() if self.by_passkey else self._sign_up()
        self._ask_for_nothing()
        story = self._begin_story()
        self._play(story)
        self._revise(story)
        self._run_into_trouble(story)
        self._bring_character()
        self._write_draft(story)
        self._correct_names(story)
        self._correct_stage(story)
        keep_materials(self.browser, self.words, story)
        self.person = self._change_passphrase(self.person)
        self.codes = add_ways_in(self.browser, self.words, self.mailbox, self.person.passphrase)
        self.device = add_passkey(self.browser, self.words)
        come_with_passkey(self.other, self.words, self.device)
        self.person = self._change_ways_in()
        self._takeout.ask()
        self._takeout.choose()

    def go_on(self) -> None:
        """What has to wait for the worker, which meanwhile wrote the export. Raises Unexpected.

        Of many people the first have waited for longer than a proof of who they are lasts.
        """
        prove(self.browser, self.person.passphrase)
        self._takeout.fetch_and_bring()  # which doubles all stories, so the one that is ended begins after it
        self.short_lived = self._begin_short_life()
        for slot, browser in (("browser", self.browser), ("other browser", self.other)):
            for number, value in enumerate(sorted(browser.cookies_seen), 1):
                self.words.add(f"{slot}, cookie {number}", value, Fate.NEVER)

    def _word(self, slot: str, *, shown: bool = True) -> str:
        return self.words.plant(slot, Fate.SEALED, shown=shown)

    def _never(self, slot: str, *, plain: bool = False) -> str:
        return self.words.plant(slot, Fate.NEVER, plain=plain)

    def _sign_up(self) -> Person:
        handle = self.words.plant(FIRST_HANDLE, Fate.PASSING, shown=True)
        person = Person(handle, f"velvet {self._never('passphrase')} moth")
        self.browser.get("/account/new/", query={"next": f"/?{self._never('address to go on to, in a link')}"})
        fields = {"handle": person.handle, "passphrase": person.passphrase, "age_band": "18_plus"}
        child = {
            "handle": self._never("handle of a child"),
            "passphrase": f"wool {self._never('passphrase of a child')}",
        }
        self.browser.post("/account/new/", {**child, "age_band": "under_13"}, expect=422)
        extra = {"next": f"/?{self._never('address to go on to')}", "e-mail": self._never("field that no form has")}
        self.browser.post("/account/new/", {**fields, **extra})
        self.browser.get("/")
        self.browser.get("/account/")
        return person

    def _sign_up_by_passkey(self) -> Person:
        handle = self.words.plant(FIRST_HANDLE, Fate.PASSING, shown=True)
        device = sign_up_with_passkey(self.browser, self.words, handle)
        self.browser.get("/account/")
        prove_with_passkey(self.browser, self.words, device)
        self.browser.get("/account/")
        passphrase = f"linen {self._never('first passphrase after a passkey')} rook"
        self.browser.post("/account/passphrase/", {"old": "", "new": passphrase})
        self.browser.get("/account/")
        return Person(handle, passphrase)

    def _ask_for_nothing(self) -> None:
        self.browser.get("/", query={"q": self._never("query")})
        for slot, path in (("wrong path", "/"), ("wrong scenario", "/scenarios/"), ("wrong stream", "/stream/runs/")):
            self.browser.get(f"{path}{self._never(slot, plain=True)}/", expect=404)
        self.browser.post("/theme/", {"theme": self._never("theme"), "next": "/"})

    def _begin_short_life(self) -> str:
        found = _SCENARIO.search(self.browser.get("/").body)
        assert found, "there was a scenario before"
        fields = {"scenario": found[1].decode(), "greeting": "0", "persona": self._word(ENDED[0])}
        story = self.browser.post("/stories/", fields).location
        self._take_turn(story, "do", self._word(ENDED[1]), reply=ENDED[2])
        return story

    def end_short_life(self) -> None:
        """Into the trash with it, and out of there for good. Raises Unexpected."""
        self.browser.get(self.short_lived)
        self.browser.post(f"{self.short_lived}trash/", {})
        self.browser.get("/trash/")
        self.browser.post(f"/trash/{self.short_lived.split('/')[2]}/end/", {})

    def _begin_story(self) -> str:
        found = _SCENARIO.search(self.browser.get("/").body)
        if found is None:
            raise Unexpected("The desk offers no scenario to begin.")
        self.browser.get(f"/scenarios/{found[1].decode()}/")
        wrong = {name: self._never(f"{name} that does not exist", plain=True) for name in ("scenario", "greeting")}
        self.browser.post("/stories/", {**wrong, "persona": "Ada"}, expect=404)
        fields = {
            "scenario": found[1].decode(),
            "greeting": "0",
            "persona": self.words.plant("name to play under", Fate.PASSING, shown=True),
        }
        story = self.browser.post("/stories/", fields).location
        self.pages.append(story)
        return story

    def _play(self, story: str) -> None:
        for mode in MODES:
            self._take_turn(story, mode, self._word(f"turn, {mode}"), reply=f"reply to {mode}")
        self._take_form_turn(story)
        self.browser.get(story)

    def _take_form_turn(self, story: str) -> None:
        """As a browser without scripts does, which is told of the reply by the next page."""
        reply = self._word("reply to the plain form")
        text = f"I wait for {self._word('turn by the plain form')}."
        with self.narrator.floor:
            self.narrator.say(reply)
            self.browser.post(f"{story}turns/", {"mode": "do", "text": text, "form": str(uuid.uuid4())})
            deadline = time.monotonic() + SECONDS
            while reply.encode() not in self.browser.get(story).body:
                if time.monotonic() > deadline:
                    raise Unexpected("The reply to a line that was sent as a form did not come.")
                time.sleep(0.1)

    def _take_turn(self, story: str, mode: str, word: str, *, reply: str) -> tuple[str, str]:
        """Play one line; the ids of turn and reply."""
        with self.narrator.floor:
            self.narrator.say(self._word(reply))
            begun = self.browser.play(f"/stream{story}turns", _turn(mode, f"I look at {word} and wait."))
        self.browser.get(story)
        return begun["turn"]["id"], begun["reply"]["id"]

    def _revise(self, story: str) -> None:
        turn, reply = self._take_turn(
            story, "do", self._word("turn before it was edited"), reply="reply, first version"
        )
        edited = {"text": f"I look at {self._word('turn, edited')} again."}
        self.browser.post(f"{story}turns/{turn}/variants/", edited, expect=200, partial=True)
        self.browser.get(story)
        for act in ("regenerate", "continue"):
            asked = {"act": act, "turn": reply, "client_turn_id": str(uuid.uuid4())}
            with self.narrator.floor:
                self.narrator.say(self._word(f"reply, {act}"))
                reply = self.browser.play(f"/stream{story}replies", asked)["reply"]["id"]
            self.browser.get(story)
        turn, reply = self._take_turn(story, "say", self._word("turn in the trash"), reply="reply in the trash")
        for ident in (reply, turn):
            self.browser.post(f"{story}turns/{ident}/trash/", {}, expect=200, partial=True)
        self.browser.get(f"{story}branches/")
        self.browser.get(f"{story}context/")

    def _run_into_trouble(self, story: str) -> None:
        word = self._word("turn whose reply failed")
        with self.narrator.floor:
            self.narrator.fail(self._never("what a failing narrator says"))
            self.browser.play(f"/stream{story}turns", _turn("do", f"I knock on {word}."))
        self.browser.get(story)
        too_long = f"{self._never('line that is too long')} {'and on ' * (TOO_LONG // 7)}"
        self.browser.play(f"/stream{story}turns", _turn("do", too_long), expect=413)
        self.browser.play(f"/stream{story}turns", _turn(self._never("mode that does not exist"), "x"), expect=400)

    def _bring_character(self) -> None:
        self.browser.get("/characters/new/")
        upload = {"field_name": "card", "expect": 422}
        name = f"{self._never('name of a refused file', plain=True)}.json"
        self.browser.upload("/characters/", make_refused_card(self.words), file_name=name, **upload)  # type: ignore[arg-type]
        name = f"{self._never('name of a file', plain=True)}.png"
        brought = self.browser.upload(
            "/characters/", make_card(self.words), file_name=name, field_name="card", expect=302
        ).location
        self.browser.get(brought)
        self.browser.get(f"{brought}portrait/")
        self._correct_character(brought)
        self._change_picture(brought)
        self.browser.post(brought, {"persona": self._never("name typed on a character’s page")}, expect=200)
        fields = {"character": brought.split("/")[2], "greeting": "0", "persona": self._word("name in another story")}
        story = self.browser.post("/stories/", fields).location
        self._take_turn(
            story, "do", f"the {KEY} of {self._word('turn with a character')}", reply="reply of a character"
        )

    def _correct_character(self, character: str) -> None:
        before = next(one.word for one in self.words.planted if one.slot == "card, creator notes")
        self.browser.get(f"{character}edit/")
        corrected = f"{before} and {self._word('card, creator notes, corrected')}"
        self.browser.post(f"{character}edit/", {"card.creator_notes": corrected})
        self.browser.get(character)

    def _change_picture(self, character: str) -> None:
        address = f"{character}picture/"
        self.browser.get(address)
        none = self._never("picture that is none").encode()
        self.browser.upload(address, none, field_name="picture", file_name="none.png", expect=422)
        name = f"{self._never('name of a picture', plain=True)}.png"
        self.browser.upload(address, make_picture(self.words), field_name="picture", file_name=name, expect=302)
        self.browser.get(f"{character}portrait/")

    def _write_draft(self, story: str) -> None:
        for slot, fate in (("draft that was replaced", Fate.PASSING), ("draft", Fate.SEALED)):
            text = f"I would {self.words.plant(slot, fate, shown=fate is Fate.SEALED)}"
            self.browser.post(f"{story}draft/", {"mode": "do", "text": text}, expect=204)
        self.browser.get(story)

    def _correct_names(self, story: str) -> None:
        self.browser.get(f"{story}names/")
        names = {"title": self._word("title"), "persona": self._word("name to play under, corrected")}
        self.browser.post(f"{story}names/", names)
        self.browser.get(story)

    def _correct_stage(self, story: str) -> None:
        self.browser.get(f"{story}stage/")
        self.browser.post(f"{story}stage/", {"stage.premise": f"The bells hang in {self._word('premise, corrected')}."})
        self.browser.get(f"{story}stage/")

    def _change_passphrase(self, person: Person) -> Person:
        """Change it, fail to log in elsewhere, log in there, and log out again."""
        new = f"lantern {self._never('new passphrase')} wool"
        self.browser.get("/account/")
        self.browser.post("/account/passphrase/", {"old": person.passphrase, "new": new})
        wrong = {"handle": self._never("handle of nobody"), "passphrase": f"salt {self._never('wrong passphrase')}"}
        self.other.get("/session/new/")
        self.other.post("/session/new/", wrong, expect=422)
        self.other.post("/session/new/", {"handle": person.handle, "passphrase": new})
        self.other.get("/account/")
        self.other.post("/session/end/", {})
        return Person(person.handle, new)

    def _change_ways_in(self) -> Person:
        """Another handle, no passphrase for a moment, a freeze, and back in from elsewhere."""
        correct_age(self.browser, self.words)
        handle = change_handle(self.browser, self.words)
        passphrase = go_without_passphrase(self.browser, self.words, self.codes)
        freeze_and_thaw(self.browser, handle, passphrase, self.codes)
        come_back(self.other, self.words, self.mailbox, handle, self.codes)
        return Person(handle, passphrase)


def _turn(mode: str, text: str) -> dict[str, str]:
    return {"mode": mode, "text": text, "client_turn_id": str(uuid.uuid4())}


def _browser(port: int, words: Words, slot: str) -> Browser:
    """A browser that tells about itself all that browsers and proxies tell, and comes from an address of its own."""

    def tell(what: str) -> str:
        return words.plant(f"{slot}, {what}", Fate.NEVER, plain=True)

    headers = {
        "User-Agent": f"Mozilla/5.0 (Mobile) {tell('User-Agent')}/7.1",
        "Referer": f"http://127.0.0.1/{tell('Referer')}",
        "Accept-Language": f"en, x-{tell('Accept-Language')};q=0.5",
        "X-Forwarded-For": words.add(f"{slot}, X-Forwarded-For", _ipv6(), Fate.NEVER),
        "X-Real-Ip": words.add(f"{slot}, X-Real-Ip", _ipv6(), Fate.NEVER),
    }
    address = _own_address()
    if address != HERE:
        words.add(f"{slot}, its own address", address, Fate.NEVER)
    return Browser(port, headers=headers, address=address)


def _own_address() -> str:
    """Any of the 16 million loopback addresses, so that it can be told from the server's; where one is all, that."""
    address = ".".join(["127", *(str(100 + secrets.randbelow(155)) for _ in range(3))])
    with socket.socket() as tried:
        try:
            tried.bind((address, 0))
        except OSError:
            return HERE
    return address


def _ipv6() -> str:
    """An address of the block that is kept for examples (RFC 3849)."""
    return ":".join(["2001", "db8", *(f"{0x1000 + secrets.randbelow(0xF000 - 0x1000):x}" for _ in range(6))])
