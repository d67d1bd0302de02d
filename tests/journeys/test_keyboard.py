"""Everything without a pointer, and what the page says to those who do not see it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from fakes.provider import Finish, Hold, Text, ThreadedFakeProvider
from journeys.conftest import Come
from journeys.evening import HEDDA
from journeys.visitor import COUNT_LIVE, PASSPHRASE, Visitor, last, prose
from library import card_makers as make

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

FOCUS_SHOWS = """() => {
    const at = document.activeElement;
    const rings = (it) => it && (parseFloat(getComputedStyle(it).outlineWidth) >= 2
        && getComputedStyle(it).outlineStyle !== "none");
    const box = at.getBoundingClientRect();
    const around = [at, at.nextElementSibling, at.closest("label"), at.closest("form")].some(rings);
    return [around, at.outerHTML.slice(0, 120), box.bottom > 0 && box.top < innerHeight];
}"""

UNCOVERED = """async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));  // painted
    const at = document.activeElement;
    const box = at.getBoundingClientRect();
    if (!box.width || box.width < 2) return true;  // a switch that lies over its own drawing
    const [x, y] = [box.left + Math.min(box.width / 2, 20), box.top + box.height / 2];
    const there = document.elementFromPoint(x, y);
    return Boolean(there) && (at.contains(there) || there.contains(at) || at.closest("label")?.contains(there));
}"""


def test_from_the_front_door_to_a_reply_without_a_pointer(come: Come, narrator: ThreadedFakeProvider) -> None:
    """Only Tab, arrows, space and Enter: an account, a scenario, a whole turn and its reply."""
    visitor = come()
    page = visitor.go("/")
    tab_to(page, "Make an account")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/new/**")
    tab_to(page, "Handle")
    page.keyboard.type("by-keys-alone")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSPHRASE)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")  # the first of the three
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    tab_to(page, "Create the account")
    page.keyboard.press("Enter")
    page.wait_for_url("**/recovery-codes/**")
    tab_to(page, "I have kept them")
    page.keyboard.press("Enter")
    page.wait_for_url(visitor.address + "/")
    tab_to(page, "A Bell for Nobody")
    page.keyboard.press("Enter")
    page.wait_for_url("**/scenarios/**")
    tab_to(page, "Begin")
    page.keyboard.press("Enter")
    page.wait_for_url("**/stories/**")
    page.keyboard.press("/")
    expect(page.get_by_label("Your line")).to_be_focused()
    page.keyboard.type("I knock with my elbow.")
    page.keyboard.press("Enter")
    expect(last(page)).to_contain_text("The bell hums")
    visitor.hear()
    expect(page.get_by_label("Your line")).to_be_focused()


def test_keys_of_the_play_page(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """`?` shows the keys, Esc closes, J and K walk the turns, `/` leads to the line, arrows turn versions."""
    page = player.page
    narrator.play(Text("The first."), Finish())
    player.play("I try.")
    page.locator("story-reader").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_hidden()
    page.keyboard.press("k")
    expect(page.locator('.turn[data-position="2"]')).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(page.locator('.turn[data-position="0"]')).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator('.turn[data-position="1"]')).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Your line")).to_be_focused()
    narrator.play(Text("The second."), Finish())
    page.keyboard.press("ArrowRight")
    expect(last(page).locator(".swap")).to_contain_text("2/2")
    player.hear()
    page.keyboard.press("ArrowLeft")
    expect(last(page).locator(".prose")).to_have_text("The first.")
    narrator.play(Text("And so "), Hold(), Finish())
    player.write("I wait.")
    page.keyboard.press("Enter")
    expect(last(page)).to_contain_text("And so")
    page.keyboard.press("Escape")
    assert prose(player.hear()).startswith("And so")


def test_letters_are_letters_in_the_line(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """J, K, `?` and `/` in the line are text; Shift Enter begins a new line."""
    page = player.page
    page.get_by_label("Your line").focus()
    page.keyboard.type("jk?/ ")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("more")
    expect(page.get_by_label("Your line")).to_have_value("jk?/ \nmore")


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_focus_is_always_seen(come: Come, narrator: ThreadedFakeProvider, width: int, dark: bool) -> None:
    """Tab through the whole play page: whatever has the focus shows it, and is on the screen."""
    visitor = come(width=width, height=844, dark=dark)
    visitor.settle()
    visitor.play("I look about.")
    page = visitor.page
    page.reload()
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        shows, element, on_screen = page.evaluate(FOCUS_SHOWS)
        if element.startswith("<body"):
            break
        assert shows, f"the focus cannot be seen on {element}"
        assert on_screen, f"the focus is off the screen on {element}"
        seen.add(element)
    assert len(seen) > 12


@pytest.mark.parametrize(("width", "dark"), [(1440, False), (390, True)])
def test_focus_is_seen_on_pages_of_ones_own(come: Come, narrator: ThreadedFakeProvider, width: int, dark: bool) -> None:
    """Tab through the trash, a character's texts, the handle, one-time codes and one's data: the focus is always shown,
    never off the screen, and never behind a bar that stands still."""
    visitor = come(width=width, height=844, dark=dark, reduced_motion="reduce")
    visitor.arrive()
    page = visitor.page
    characters = [bring_character(visitor) for _ in range(2)]
    visitor.begin()
    visitor.play("I look about.")
    visitor.go(characters[0])
    page.get_by_role("button", name="Delete").click()
    page.wait_for_url("**/characters/**trashed**")
    visitor.go("/account/handle/")
    page.get_by_label("Passphrase").fill(PASSPHRASE)
    page.get_by_role("button", name="Go on", exact=True).click()
    page.wait_for_url("**/account/handle/")
    for path in ("/trash/", f"{characters[1]}edit/", "/account/handle/", "/account/codes/", "/your-data/"):
        visitor.go(path)
        walk(page, path)


def bring_character(visitor: Visitor) -> str:
    """Bring a card; returns the path of the character's page."""
    file = {"name": "hedda.json", "mimeType": "application/json", "buffer": make.to_json(HEDDA)}
    visitor.go("/characters/new/").get_by_label("Drop a card here").set_input_files(file)  # type: ignore[arg-type]
    visitor.page.get_by_role("button", name="Read this card").click()
    expect(visitor.page.get_by_role("heading", level=1)).to_have_text("Hedda Quill")
    return visitor.page.url.removeprefix(visitor.address)


def walk(page: Page, path: str) -> None:
    """Press Tab to the end of a page."""
    for _ in range(120):
        page.keyboard.press("Tab")
        uncovered = page.evaluate(UNCOVERED)
        shows, element, on_screen = page.evaluate(FOCUS_SHOWS)
        if element.startswith("<body"):
            return
        assert shows, f"{path}: the focus cannot be seen on {element}"
        assert on_screen, f"{path}: the focus is off the screen on {element}"
        assert uncovered, f"{path}: something covers {element}"
    raise AssertionError(f"{path} has no end")


def test_one_sentence_at_the_end(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """A screen reader hears that the narrator has finished, once, and not one word while it streams."""
    page = player.page
    page.evaluate(COUNT_LIVE)
    assert page.locator("#turns").get_attribute("aria-live") == "off"
    player.play("I listen.")
    expect(page.locator("#live")).to_have_text("The narrator has finished.")
    assert page.evaluate("window.said") == ["The narrator has finished."]


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the focus is on what is called so."""
    for _ in range(60):
        page.keyboard.press("Tab")
        called = page.evaluate(
            """() => {
                const at = document.activeElement;
                if (!at.matches("a, button, input, textarea, summary")) return "";
                return [at.ariaLabel, at.labels?.[0]?.innerText, at.innerText].filter(Boolean).join(" ");
            }"""
        )
        if name in called:
            return
    raise AssertionError(f"no Tab leads to {name}")
