"""Somebody in a browser of their own, and everything that the browser complains about meanwhile."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

PASSPHRASE = "velvet lamp nine stairs"
STARTER = "a-bell-for-nobody"
PATIENCE = 30_000  # milliseconds; two slow cores, shared
VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.effectiveDirective} refused ${event.blockedURI}`));
"""
PAINTED = "new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))"
"""A browser drops keys that are pressed before a page's first paint."""
STORES = """async () => ({
    local: localStorage.length, session: sessionStorage.length,
    databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
})"""
COUNT_LIVE = """() => {
    window.said = [];
    new MutationObserver(() => {
        const words = document.getElementById("live").textContent;
        if (words) window.said.push(words);
    }).observe(document.getElementById("live"), { childList: true, characterData: true, subtree: true });
}"""
"""Collects in window.said what screen readers are told."""
_numbers = itertools.count(1)


@dataclass
class Watch:
    """What one browser asked for, and what it complained about."""

    address: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    allowed: set[int] = field(default_factory=set)
    lost_connections: bool = False

    def follow(self, context: BrowserContext) -> None:
        """Listen to every page that this context opens."""
        context.add_init_script(VIOLATIONS)
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("response", lambda response: self._answered(response.status, response.url))
        context.on("requestfailed", lambda request: self._failed(request.failure or "", request.url))
        context.on("console", lambda message: self._said(message.type, message.text))
        context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))

    def _answered(self, status: int, url: str) -> None:
        if status >= 400 and status not in self.allowed:
            self.complaints.append(f"{status} {urlsplit(url).path}")

    def _failed(self, failure: str, url: str) -> None:
        # A page that is left takes its open requests with it.
        if "ERR_ABORTED" not in failure and not self.lost_connections:
            self.complaints.append(f"{failure} {urlsplit(url).path}")

    def _said(self, kind: str, text: str) -> None:
        # That a request was refused is known above, with its status.
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.complaints.append(f"console: {text}")

    @property
    def elsewhere(self) -> list[str]:
        """Requests that went to any other place than our own origin."""
        return [url for url in self.asked if urlsplit(url).netloc != urlsplit(self.address).netloc]


class Visitor:
    """One browser context with one page in front. `allow(409)` says which refusals a test is about."""

    def __init__(self, browser: Browser, address: str, **options: Any) -> None:
        width, height = options.pop("width", 1440), options.pop("height", 900)
        dark = options.pop("dark", False)
        self.address = address
        self.handle = ""
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", **options
        )
        self.context.set_default_timeout(PATIENCE)
        self.watch = Watch(address)
        self.watch.follow(self.context)
        self.page = self.context.new_page()

    # ---- going about ----

    def allow(self, *statuses: int) -> None:
        self.watch.allowed |= set(statuses)

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def sign_up(self, handle: str = "", *, band: str = "18_plus", passphrase: str = PASSPHRASE) -> str:
        """Fill in the sign-up form that is, or will be, open."""
        handle = self.handle = handle or f"visitor-{next(_numbers)}"
        if "/account/new/" not in self.page.url:
            self.go("/account/new/")
        self.page.get_by_label("Handle").fill(handle)
        if (choice := self.page.locator("[name=key][value=passphrase]")).count():  # under a name passkeys are offered
            choice.check()
        self.page.locator("[name=passphrase]").fill(passphrase)
        self.page.locator(f"[name=age_band][value='{band}']").check()
        self.page.get_by_role("button", name="Create the account").click()
        if band != "under_13":
            self.page.get_by_role("link", name="I have kept them").click()
        return handle

    def arrive(self) -> None:
        """Signed up, by the same form without its page: for all that is not about the door."""
        self.handle = f"visitor-{next(_numbers)}"
        form = {"handle": self.handle, "passphrase": PASSPHRASE, "age_band": "18_plus"}
        self._send("/account/new/", form, page="/account/new/")

    def settle(self, slug: str = STARTER) -> None:
        """Signed up and in a new story, by the same forms without their pages."""
        self.arrive()
        self.go(self._send("/stories/", {"scenario": slug, "greeting": "0"}, page=f"/scenarios/{slug}/"))
        self.page.evaluate(PAINTED)

    def _send(self, path: str, form: dict[str, str], *, page: str) -> str:
        """Send the form of a page; where it leads to."""
        shown = self.context.request.get(self.address + page)
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', shown.text())
        assert token, page
        answer = self.context.request.post(
            self.address + path, form={**form, "csrfmiddlewaretoken": token[1]}, max_redirects=0
        )
        assert answer.status == 302, f"{path}: {answer.status}"
        return answer.headers["location"]

    def log_in(self, handle: str, passphrase: str = PASSPHRASE) -> None:
        self.go("/session/new/")
        self.page.get_by_label("Handle").fill(handle)
        self.page.get_by_label("Passphrase").fill(passphrase)
        self.page.get_by_role("button", name="Log in").click()

    def log_out(self) -> None:
        self.page.locator("details.menu summary").last.click()
        self.page.get_by_role("button", name="Log out").click()
        self.page.wait_for_url(self.address + "/")

    def begin(self, slug: str = STARTER, *, fresh: bool = True) -> str:
        """Begin a story from a starter (whose page is open already unless `fresh`); returns its path."""
        if fresh:
            self.go(f"/scenarios/{slug}/")
        self.page.get_by_role("button", name="Begin").click()
        self.page.wait_for_url("**/stories/*/")
        self.page.evaluate(PAINTED)
        return urlsplit(self.page.url).path

    def second_page(self) -> Page:
        """The same person's other tab, on the same page."""
        page = self.context.new_page()
        page.goto(self.page.url)
        return page

    # ---- playing ----

    def write(self, text: str, mode: str = "Do", page: Page | None = None) -> None:
        page = page or self.page
        expect(page.locator("turn-composer")).to_have_attribute(
            "data-now", re.compile(".")
        )  # before, Enter is a new line
        page.get_by_role("radio", name=mode, exact=True).check()
        page.get_by_label("Your line").fill(text)

    def play(self, text: str, mode: str = "Do", page: Page | None = None) -> Locator:
        """Play a line and wait for the reply's end; returns the reply."""
        page = page or self.page
        self.write(text, mode, page)
        page.keyboard.press("Enter")
        expect(page.get_by_label("Your line")).to_have_value("")  # the line was taken: from here on it is not at rest
        return self.hear(page)

    def hear(self, page: Page | None = None, *, patience: float = PATIENCE) -> Locator:
        """Wait until the narrator rests and the saved turn has taken the place of the growing one."""
        page = page or self.page
        expect(page.locator("turn-composer")).to_have_attribute("data-now", "rest", timeout=patience)
        expect(page.locator("#turns > .turn[aria-busy=true]")).to_have_count(0)
        return last(page)

    def request(self, path: str, body: dict[str, Any]) -> int:
        """POST to the stream plane as this person's page would, and wait for the end of the answer."""
        headers = {"Origin": self.address, "Sec-Fetch-Site": "same-origin"}
        return self.context.request.post(self.address + path, data=body, headers=headers).status

    # ---- leaving ----

    def leave(self) -> None:
        """Close, after a look at what a browser could have kept."""
        try:
            for page in self.context.pages:
                if page.url.startswith(self.address) and not self.watch.lost_connections:
                    kept = page.evaluate(STORES)
                    assert not any(kept.values()), f"the browser was given something to keep: {kept}"
        finally:
            self.context.close()
        assert not self.watch.elsewhere, f"requests left the house: {self.watch.elsewhere}"
        assert not self.watch.complaints, f"the browser complained: {self.watch.complaints}"


def last(page: Page) -> Locator:
    """The last turn of the story."""
    return page.locator("#turns > .turn").last


def last_but(page: Page, count: int) -> str:
    """A selector of one of the last turns."""
    return f'.turn[data-position="{positions(page)[-1 - count]}"]'


def tool(turn: Locator, name: str) -> None:
    """Press one of the small tools of a turn."""
    turn.hover()
    turn.locator(".turn-tools").get_by_text(name, exact=True).click()


def prose(turn: Locator) -> str:
    """The words of a turn."""
    return turn.locator(".prose").first.inner_text()


def all_words(page: Page) -> list[str]:
    """The words of every turn on a page, in order."""
    return [re.sub(r"\s+", " ", turn.inner_text()).strip() for turn in page.locator("#turns > .turn .prose").all()]


def positions(page: Page) -> list[int]:
    """The positions of the turns on a page, in order."""
    return [int(turn.get_attribute("data-position") or -1) for turn in page.locator("#turns > .turn").all()]


def top_of(page: Page, selector: str) -> float:
    """Where an element's upper edge stands on the screen, in pixels."""
    return float(page.locator(selector).evaluate("element => element.getBoundingClientRect().top"))


@dataclass(frozen=True)
class ShownMeter:
    """What a play page says that the narrator can hold, in tokens."""

    used: int
    context: int
    parts: dict[str, int]


def meter_on(page: Page) -> ShownMeter:
    """The context meter of a play page."""

    def number(text: str) -> int:
        return int(text.replace(",", ""))

    head = re.search(r"([\d,]+) of ([\d,]+) tokens", page.locator("#meter .p-sub").text_content() or "")
    assert head, "the page shows no meter"
    rows = [row.locator("span").all_text_contents() for row in page.locator("#meter li").all()]
    return ShownMeter(number(head[1]), number(head[2]), {title: number(tokens) for title, tokens in rows})
