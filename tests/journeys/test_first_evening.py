"""What a stranger does on the first evening, from the front door to a character of their own."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fakes.provider import Finish, Text, ThreadedFakeProvider
from journeys.conftest import Come
from journeys.visitor import Visitor, prose, top_of
from library import card_makers as make

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

DROP = """([encoded, name]) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
    const carried = new DataTransfer();
    carried.items.add(new File([bytes], name, { type: "image/png" }));
    document.querySelector(".drop").dispatchEvent(
        new DragEvent("drop", { dataTransfer: carried, bubbles: true, cancelable: true }));
}"""


def test_a_first_evening(come: Come, narrator: ThreadedFakeProvider, tmp_path: Path) -> None:
    """From the front door: six scenarios, an account, three turns and an aside, two characters, and out again."""
    visitor = come()
    walk_in(visitor)
    play_in_every_mode(visitor, narrator)
    bring_by_picker(visitor, tmp_path)
    begin_with_second_greeting(visitor, narrator)
    bring_by_drop(visitor)
    leave_for_good(visitor)


def walk_in(visitor: Visitor) -> None:
    page = visitor.go("/")
    covers = page.locator(".strip .cover")
    expect(covers).to_have_count(6)
    covers.filter(has_text="A Bell for Nobody").click()
    page.get_by_role("link", name="Make an account to begin").click()
    visitor.sign_up()
    expect(page.get_by_role("heading", level=1)).to_have_text("A Bell for Nobody")  # where they wanted to go
    page.get_by_label("Your name in this story").fill("Sunniva")
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#turns > .turn")).to_have_count(1)
    expect(page.locator(".disclose")).to_contain_text("Narrated by AI")


def play_in_every_mode(visitor: Visitor, narrator: ThreadedFakeProvider) -> None:
    page = visitor.page
    lines = {"Do": "I touch the lip of the bell.", "Say": "Who asked you for it?", "Story": "It grew dark early."}
    for number, (mode, line) in enumerate(lines.items()):
        narrator.play(Text(f"The answer to line {number}."), Finish())
        assert prose(visitor.play(line, mode)) == f"The answer to line {number}."
    narrator.play(Text("(Gladly. Shorter it is.)"), Finish())
    aside = visitor.play("Please keep the replies short.", "Out of character")
    expect(aside).to_contain_text("Shorter it is")
    expect(page.locator("#turns > .turn")).to_have_count(9)
    expect(page.locator(".turn.mine.act")).to_contain_text("I touch the lip")
    expect(page.locator(".turn.mine", has_text="“Who asked you for it?”")).to_have_count(1)
    expect(page.locator(".turn.aside").first).to_contain_text("You, out of character")
    expect(page.locator(".turn.mine .who").first).to_have_text("Sunniva")


def bring_by_picker(visitor: Visitor, folder: Path) -> None:
    (folder / "hedda.png").write_bytes(make.png_card(make.v2()))
    page = visitor.go("/characters/new/")
    page.get_by_label("Drop a card here").set_input_files(folder / "hedda.png")
    expect(page.locator(".drop-name")).to_have_text("hedda.png")
    page.get_by_role("button", name="Read this card").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Hedda Quill")


def begin_with_second_greeting(visitor: Visitor, narrator: ThreadedFakeProvider) -> None:
    page = visitor.page
    page.locator("[name=greeting][value='1']").check()
    page.get_by_role("button", name="Begin").click()
    expect(page.locator("#turns > .turn")).to_have_count(1)
    expect(page.locator("#turns > .turn")).to_contain_text("You again.")
    narrator.play(Text("“Two coins,” says Hedda, and does not look up."), Finish())
    reply = visitor.play("I turn out my pockets.")
    expect(reply).to_contain_text("does not look up")
    sent = str(narrator.requests[-1].body["messages"])
    assert "keeps the toll gate" in sent
    assert "I turn out my pockets." in sent


def bring_by_drop(visitor: Visitor) -> None:
    page = visitor.go("/characters/new/")
    card = make.png_card(make.v3(name="Oslo Pike", nickname=""), "ccv3")
    page.evaluate(DROP, [base64.b64encode(card).decode(), "oslo.png"])
    expect(page.get_by_role("heading", level=1)).to_have_text("Oslo Pike")
    visitor.go("/")
    expect(page.locator("main")).to_contain_text("Hedda Quill")
    expect(page.locator("main")).to_contain_text("Oslo Pike")
    expect(page.get_by_role("link", name="Continue the story")).to_be_visible()


def leave_for_good(visitor: Visitor) -> None:
    page = visitor.page
    page.get_by_role("link", name="Continue the story").click()
    page.wait_for_url("**/stories/*/")
    visitor.go("/")
    visitor.log_out()
    for _ in range(3):
        shows_nothing_private(page)
        page.go_back()
    shows_nothing_private(page)


def shows_nothing_private(page: Page) -> None:
    """Not one word of a story or of a person, wherever the back button leads."""
    expect(page.locator("body")).not_to_contain_text(re.compile("Hedda|Oslo|Two coins|Sunniva|pockets"))


@pytest.mark.parametrize("by", ["pointer", "key"])
@pytest.mark.parametrize("width", [1440, 390])
def test_an_opening_that_is_chosen_stays_where_it_is(come: Come, width: int, by: str) -> None:
    """The one before it folds up above it, and the page must not run away under the pointer."""
    visitor = come(width=width, height=844)
    page = visitor.go("/scenarios/dead-cable/")
    choices = page.locator(".choice-opening")
    choices.nth(0).locator("input").focus()
    choices.nth(1).locator("b").scroll_into_view_if_needed()
    before = top_of(page, ".choice-opening:nth-of-type(2)")
    if by == "pointer":
        choices.nth(1).locator("b").click()
    else:
        page.keyboard.press("ArrowDown")
    expect(choices.nth(1).locator("input")).to_be_checked()
    assert abs(top_of(page, ".choice-opening:nth-of-type(2)") - before) < 2
