"""The other pages in a real browser: theme, cards, narrators, and what holds on every page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, expect

from ui import gallery

pytestmark = pytest.mark.browser
Open = Callable[..., Page]

MOVING = """() => [...document.querySelectorAll("*")].filter((it) => ["", "::before", "::after"].some((part) => {
    const style = getComputedStyle(it, part || null);
    const lasting = (times) => times.split(",").some((time) => parseFloat(time) > 0.001);  // seconds
    return style.scrollBehavior === "smooth" || lasting(style.transitionDuration)
        || (style.animationName !== "none" && lasting(style.animationDuration));
})).map((it) => it.outerHTML.slice(0, 80))"""


def test_the_theme_is_remembered(address: str, open_page: Open) -> None:
    """The button turns the lights down at once, and the server writes the choice into the next page."""
    page = open_page(f"{address}/account/")
    with page.expect_response(lambda answer: answer.url.endswith("/theme/")):
        page.get_by_role("button", name="Theatre (dark) theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 17)"


def test_a_card_that_cannot_be_read_says_so(address: str, open_page: Open, tmp_path: Path) -> None:
    """A refused card shows the sentence on the page; a good one leads to its character."""
    page = open_page(f"{address}/characters/new/")
    (tmp_path / "bad.json").write_text("bad")
    (tmp_path / "good.json").write_text(json.dumps({"name": "Oswin"}))
    page.set_input_files("input[type=file]", tmp_path / "bad.json")
    expect(page.locator(".drop-name")).to_have_text("bad.json")
    page.get_by_role("button", name="Read this card").click()
    expect(page.get_by_role("alert")).to_contain_text("not a character card")
    page.set_input_files("input[type=file]", tmp_path / "good.json")
    page.get_by_role("button", name="Read this card").click()
    expect(page.get_by_role("heading", name="Oswin Tarn")).to_be_visible()


def test_a_card_can_be_dropped(address: str, open_page: Open) -> None:
    """A file dropped on the zone is read at once."""
    page = open_page(f"{address}/characters/new/")
    data = page.evaluate_handle(
        "() => { const all = new DataTransfer(); all.items.add(new File(['{}'], 'card.json')); return all; }"
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": data})
    expect(page.get_by_role("heading", name="Oswin Tarn")).to_be_visible()


def test_an_installation_shows_how_far_it_is(address: str, open_page: Open) -> None:
    """The narrator that is on its way is asked for again and replaced; one that is here leads to who narrates now."""
    page = open_page(f"{address}/models/")
    row = page.locator("#narrator-story-1\\.5b")
    expect(row).to_contain_text("9 of 22 parts")
    expect(row).not_to_contain_text("9 of 22 parts")
    expect(row).not_to_contain_text("once it is installed")
    row.get_by_role("link", name="See who narrates").click()
    expect(row).to_contain_text("9 of 22 parts")  # the page was made anew


def test_strings_cannot_become_elements(stage_address: str, chromium: Any) -> None:
    """Trusted Types hold: no script can turn a string into HTML, and no second policy can be made."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(stage_address)
    for deed in (
        "document.body.innerHTML = '<img src=x>'",
        "new DOMParser().parseFromString('<p>x</p>', 'text/html')",
        "trustedTypes.createPolicy('other', {createHTML: (x) => x})",
        "trustedTypes.createPolicy('mindstage', {createHTML: (x) => x})",
        "document.createElement('script').src = 'https://evil.example/'",
    ):
        with pytest.raises(Error):
            page.evaluate(f"() => {{ {deed} }}")
    context.close()


def test_editing_works_without_scripts(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """Without scripts the editor opens by its address and is an ordinary form."""
    page = open_page(stage_address, java_script_enabled=False)
    turn = page.locator('.turn[data-position="3"]')
    turn.hover()
    turn.get_by_role("link", name="Edit").click()
    turn.get_by_role("textbox").fill("I climb down again.")
    turn.get_by_role("button", name="Save").click()
    assert in_gallery.turns[3].text == "I climb down again."


def test_what_a_script_fills_is_a_link_without_one(stage_address: str, open_page: Open) -> None:
    """The panel does not say of a long story that nothing is in play: it leads to the page that knows."""
    page = open_page(stage_address, java_script_enabled=False)
    for filled in ("#lore", "#meter"):
        expect(page.locator(filled)).to_be_hidden()
    page.get_by_role("link", name="What goes into the next turn").click()
    expect(page).to_have_url(re.compile("/context/$"))


def test_reduced_motion_is_respected(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """With reduced motion the caret does not blink, and nothing else on the page moves, fades or glides."""
    in_gallery.pace = 0.2
    page = open_page(stage_address, reduced_motion="reduce")
    page.get_by_label("Your line").fill("I wait.")
    page.keyboard.press("Enter")
    caret = page.locator(".caret")
    expect(caret).to_be_attached()
    assert caret.evaluate("(element) => getComputedStyle(element).animationName") == "none"
    assert page.evaluate(MOVING) == []


def test_focus_is_visible_and_names_are_there(address: str, open_page: Open) -> None:
    """Every control has a name, every picture-only button too, and Tab shows a ring."""
    page = open_page(address + f"/stories/{gallery.STORY}/")
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, a, input:not([type=hidden]), textarea, summary')].filter((e) =>
            !(e.getAttribute('aria-label') || e.title || e.textContent.trim() || e.labels?.length))
            .map((e) => e.outerHTML)"""
    )
    assert nameless == []
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to your line")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    with page.expect_navigation():  # a page that is closed on its way elsewhere holds a busy browser up
        page.keyboard.press("Enter")


def test_the_live_region_does_not_read_the_stream(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """The log is not live while it streams; it is busy, and one sentence says when it is done."""
    in_gallery.pace = 0.1
    page = open_page(stage_address)
    page.get_by_label("Your line").fill("I wait.")
    page.keyboard.press("Enter")
    expect(page.locator(".turn.last")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#turns")).to_have_attribute("aria-live", "off")
    expect(page.locator("#live")).to_be_empty()


def test_a_phone_opens_the_drawer_and_the_tools(stage_address: str, open_page: Open) -> None:
    """On a phone the panel is a drawer that Escape closes, and a tap on a turn shows its tools."""
    page = open_page(stage_address, width=390, height=844, has_touch=True, is_mobile=True)
    expect(page.locator("#panel")).to_be_hidden()
    page.get_by_role("button", name="Cast, world and context").tap()
    expect(page.locator("#panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    page.locator('.turn[data-position="4"] .prose').tap()
    box = page.locator('.turn[data-position="4"] .turn-tools').bounding_box()
    assert box is not None
    assert box["height"] >= 24


def test_codes_that_are_shown_once_are_copied_and_printed(address: str, open_page: Open) -> None:
    """One press takes all, a line each; on paper they stand without the page's buttons. Nothing without scripts."""
    page = open_page(f"{address}/account/recovery-codes/", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.locator(".toast")).to_contain_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.split() == [f"aaaa-bbbb-000{number}" for number in range(10)]
    page.evaluate("window.print = () => { document.title = 'printed'; }")
    page.get_by_role("button", name="Print").click()
    expect(page).to_have_title("printed")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.querySelector('#codes')).backgroundColor") == "rgb(252, 252, 249)"
    expect(page.locator("#codes code").last).to_be_visible()
    for gone in (page.get_by_role("button", name="Copy"), page.get_by_role("link", name="I have kept them")):
        expect(gone).to_be_hidden()
    without = open_page(f"{address}/account/recovery-codes/", java_script_enabled=False)
    expect(without.get_by_role("button", name="Copy")).to_be_hidden()


def test_a_short_opening_that_is_not_chosen_is_not_dimmed(address: str, open_page: Open) -> None:
    """Only what is folded away fades: a line or two can be read whole."""
    page = open_page(f"{address}/characters/{gallery.STORY}/")
    short = page.locator(".choice-opening:not(:has(:checked)) .opening")
    expect(short).to_have_text("You again.")
    fades_from = short.evaluate("it => parseFloat(getComputedStyle(it).maskImage.match(/([0-9.]+)px/)[1])")
    box = short.bounding_box()
    assert box
    assert fades_from >= box["height"]
