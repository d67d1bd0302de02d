"""The play page in a real browser, under the content policy of the program."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ui import gallery

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
END = re.compile(r"Somewhere a shutter closes\.")


def play(page: Page, text: str, mode: str = "Do") -> None:
    page.get_by_role("radio", name=mode, exact=True).check()
    page.get_by_label("Your line").fill(text)
    page.keyboard.press("Enter")


def test_plays_a_turn_and_swaps_in_the_saved_one(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """A line is played with Enter, the reply grows as text, and ends as the server's own rendering with its tools."""
    page = open_page(stage_address)
    play(page, "I name the lamp.")
    own = page.locator(".turn.mine", has_text="I name the lamp.")
    expect(own).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    last = page.locator("#turns > .turn").last
    expect(last).to_contain_text(END)
    expect(last.locator("em", has_text="one by one")).to_be_visible()
    expect(last.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.locator(".turn.last")).to_have_count(1)
    expect(page.locator("#live")).to_have_text("The narrator has finished.")
    expect(page.get_by_label("Your line")).to_have_value("")
    expect(own.get_by_role("button", name="Delete")).to_have_count(1)
    assert in_gallery.takes[0]["segment"] == str(uuid.UUID(int=11))


def test_a_refusal_keeps_the_line(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """A refused turn shows the server's sentence, keeps the words, and is sent again under the same id."""
    in_gallery.refusal = (429, "You are playing faster than this machine can narrate. Wait a little.")
    page = open_page(stage_address)
    play(page, "I wait.")
    expect(page.get_by_role("alert")).to_contain_text("faster than this machine")
    expect(page.get_by_label("Your line")).to_have_value("I wait.")
    in_gallery.refusal = None
    page.get_by_role("button", name="Play").click()
    expect(page.locator("#turns > .turn").last).to_contain_text(END)
    first, second = (take["client_turn_id"] for take in in_gallery.takes)
    assert first == second


def test_stop_keeps_the_words(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """Esc stops the narrator; the words up to there stay."""
    in_gallery.pace = 0.1
    page = open_page(stage_address)
    play(page, "I listen.")
    expect(page.locator("#turns > .turn").last).to_contain_text("The flame")
    page.keyboard.press("Escape")
    expect(page.locator("#live")).to_have_text("Stopped. The words up to here are kept.")
    expect(page.locator("#turns > .turn").last).to_contain_text("The flame")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_a_lost_connection_finds_its_reply_again(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """When the stream breaks the page asks again until it hears the rest, and nothing is doubled or lost."""
    in_gallery.cut_after, in_gallery.drops = 60, 1
    page = open_page(stage_address)
    play(page, "I hold on.")
    last = page.locator("#turns > .turn").last
    expect(last).to_contain_text(END)
    expect(last.locator(".prose")).to_have_count(1)
    assert last.locator(".prose").inner_text().count("The flame considers") == 1


def test_a_reload_finds_the_running_reply(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """A page made while a reply runs picks it up from the beginning and ends with the saved turn."""
    in_gallery.turns[-1] = replace(in_gallery.turns[-1], kind="reply", state="running", text="The fl")
    run = str(in_gallery.turns[-1].id)
    in_gallery.running = {"run": run, "turn": run}
    page = open_page(stage_address)
    last = page.locator("#turns > .turn").last
    expect(last).to_contain_text(END)
    assert last.locator(".prose").inner_text().startswith("The flame considers")


def test_a_cut_short_reply_offers_what_to_do(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """A failed reply keeps its words, says so in a sentence and offers Finish, Try again and Keep."""
    in_gallery.ending = "failed"
    page = open_page(stage_address)
    play(page, "I look.")
    note = page.locator(".turn.last .note")
    expect(note).to_contain_text("closed the line")
    in_gallery.ending = "finished"
    note.get_by_role("button", name="Finish it").click()
    expect(page.locator(".turn.last .note")).to_have_count(0)
    expect(page.locator(".turn.last")).to_contain_text(END)
    assert in_gallery.takes[-1]["act"] == "continue"


def test_edit_versions_copy_and_delete(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """An edit becomes a new version, versions can be turned, and a deleted turn comes back with Undo."""
    page = open_page(stage_address)
    turn = page.locator('.turn[data-position="3"]')
    turn.hover()
    turn.get_by_role("link", name="Edit").click()
    turn.get_by_role("textbox").fill("I climb <b>down</b>.")
    turn.get_by_role("button", name="Save").click()
    expect(turn).to_contain_text("I climb <b>down</b>.")
    turn.get_by_role("button", name="Previous version").click()
    expect(turn).to_contain_text("The other version.")
    turn.get_by_role("button", name="Delete").click()
    expect(turn).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(turn).to_contain_text("The other version.")
    positions = [at.get_attribute("data-position") for at in page.locator("#turns > .turn").all()]
    assert positions == [str(n) for n in range(6)]


def test_the_keys_find_their_way_after_a_deletion(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """The focus goes to Undo, from there to the turn that is back, or with Escape to the one before; never nowhere."""
    page = open_page(stage_address)
    turn, before = (page.locator(f'.turn[data-position="{position}"]') for position in (3, 2))
    turn.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Enter")
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_focused()
    ring, ink = undo.evaluate("it => [getComputedStyle(it).outlineColor, getComputedStyle(it).color]")
    assert ring == ink  # on a ground of the page's ink the accent would hardly show
    page.keyboard.press("Enter")
    expect(turn).to_be_focused()
    turn.get_by_role("button", name="Delete").focus()
    page.keyboard.press("Space")
    expect(undo).to_be_focused()
    page.keyboard.press("Escape")
    expect(undo).to_have_count(0)
    expect(before).to_be_focused()


def test_a_pointer_takes_no_focus_along(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """The sentence with Undo would otherwise stay for as long as the focus rests in it."""
    page = open_page(stage_address)
    turn = page.locator('.turn[data-position="3"]')
    turn.hover()
    turn.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).not_to_be_focused()


@pytest.mark.parametrize("width", [390, 1440])
def test_undo_covers_no_tool(stage_address: str, in_gallery: gallery.Stage, open_page: Open, width: int) -> None:
    """For as long as the sentence with Undo stands there the last turn can be used, and the end stays where it was."""
    page = open_page(stage_address, width=width, height=640)
    page.locator(".turn.last").get_by_role("button", name="Delete").click()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    tool = page.locator(".turn.last").get_by_role("button", name="Try again")
    toast, tools = page.locator(".toast").bounding_box(), tool.bounding_box()
    assert toast
    assert tools
    assert toast["y"] + toast["height"] <= tools["y"]
    tool.click(trial=True)
    undo.click()
    expect(page.locator(".toast")).to_have_count(0)
    page.evaluate("new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted)))")
    assert page.locator("story-reader").evaluate("it => it.scrollHeight - it.scrollTop - it.clientHeight") < 2


def test_a_second_tab_fills_the_gap(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """What another tab played meanwhile appears, in order, when this one plays."""
    page = open_page(stage_address)
    for position in (6, 7):
        in_gallery.turns.append(
            gallery.TurnView(uuid.uuid4(), position, "reply", "", f"From the other tab, {position}.")
        )
    play(page, "I come back.")
    expect(page.locator("#turns > .turn").last).to_contain_text(END)
    expect(page.locator("#turns")).to_contain_text("From the other tab, 7.")
    positions = [int(at.get_attribute("data-position") or -1) for at in page.locator("#turns > .turn").all()]
    assert positions == list(range(10))


def test_older_turns_do_not_move_the_line(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """Scrolling up fetches older turns above, and what is being read stays where it is."""
    in_gallery.reset(130)
    page = open_page(stage_address)
    expect(page.locator("#turns > .turn")).to_have_count(50)
    page.evaluate("() => { document.querySelector('story-reader').scrollTop -= 100; }")
    page.wait_for_function("() => document.querySelector('story-reader').following === false")  # the reader has moved
    page.evaluate(
        """() => {
            const story = document.querySelector("story-reader");
            story.scrollTop = 300;
            const turns = [...story.querySelectorAll(".turn")];
            window.seen = turns.find((turn) => turn.getBoundingClientRect().top > 200);
            window.at = seen.getBoundingClientRect().top;
        }"""
    )
    expect(page.locator("#turns > .turn")).to_have_count(100)
    assert abs(page.evaluate("seen.getBoundingClientRect().top - at")) < 3
    page.evaluate("document.querySelector('story-reader').scrollTop = 0")
    expect(page.locator("#turns > .turn")).to_have_count(130)
    expect(page.locator(".earlier")).to_have_count(0)
    expect(page.get_by_role("button", name="Back to the end")).to_be_visible()


def test_a_reader_who_turns_back_at_once_is_let_go(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """Moving up in the very frame in which the page went to the end still stops it from following the end."""
    in_gallery.reset(40)
    page = open_page(stage_address)
    page.evaluate("document.querySelector('story-reader').scrollTop = 0")
    page.wait_for_function("() => document.querySelector('story-reader').following === false")
    page.evaluate(
        """() => {
            document.querySelector("[data-to-end]").click();
            document.querySelector("story-reader").scrollTop -= 100;
        }"""
    )
    page.wait_for_function("() => document.querySelector('story-reader').following === false")


def test_drafts_save_themselves(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """A pause in typing saves the draft with its mode."""
    page = open_page(stage_address)
    page.get_by_role("radio", name="Say", exact=True).check()
    with page.expect_response(lambda answer: answer.url.endswith("/draft/")):
        page.get_by_label("Your line").fill("Is anyone")
    assert in_gallery.drafts[-1] == {"mode": "say", "text": "Is anyone"}


def test_keys(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """The keyboard reaches the line, the help, the turns, and draws a new version past the end."""
    page = open_page(stage_address)
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    expect(page.locator(".turn.last")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator('.turn[data-position="4"]')).to_be_focused()
    page.keyboard.press("/")
    expect(page.get_by_label("Your line")).to_be_focused()
    play(page, "I begin.")
    expect(page.locator(".turn.last")).to_contain_text(END)
    expect(page.locator("turn-composer")).to_have_attribute("data-now", "rest")  # the last word comes before the end
    page.keyboard.press("ArrowRight")
    expect(page.locator(".turn.last .swap")).to_contain_text("2/2")
    assert in_gallery.takes[-1]["act"] == "regenerate"


def test_a_link_shows_its_address_first(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """A link in a story opens nothing by itself: the address is shown, and a second click would go."""
    page = open_page(stage_address)
    page.get_by_role("button", name="the map").click()
    dialog = page.get_by_role("dialog", name="This link leaves Mindstage")
    expect(dialog).to_contain_text("https://maps.example/v")
    link = dialog.get_by_role("link")
    assert link.get_attribute("href") == "https://maps.example/v"
    assert "noreferrer" in (link.get_attribute("rel") or "")


def test_the_page_is_small(stage_address: str, in_gallery: gallery.Stage, open_page: Open, chromium: Any) -> None:
    """A long story opens with at most 15 requests and 100 kB on the wire."""
    in_gallery.reset(60)
    context = chromium.new_context()
    page = context.new_page()
    sizes: dict[str, int] = {}
    page.on("requestfinished", lambda request: sizes.update({request.url: request.sizes()["responseBodySize"]}))
    page.goto(stage_address, wait_until="networkidle")
    context.close()
    assert len(sizes) <= 15
    assert sum(sizes.values()) < 60_000


@pytest.mark.parametrize("width", [320, 360, 768, 1100, 1440])
def test_no_page_scrolls_sideways(address: str, in_gallery: gallery.Stage, open_page: Open, width: int) -> None:
    """From 320 to 1440 pixels every page fits its width and has one h1 and one main."""
    page = open_page(address, width=width, height=800)
    story = f"/stories/{gallery.STORY}/"
    paths = ["/", "/account/new/", "/session/new/", "/account/", "/scenarios/lamp/", "/characters/", "/characters/new/"]
    for path in [
        *paths,
        f"/characters/{gallery.STORY}/",
        "/models/",
        "/problem/",
        story,
        f"{story}branches/",
        f"{story}stage/",
    ]:
        answer = page.goto(address + path)
        assert answer is not None, path
        assert answer.ok or path == "/problem/", f"{path} answers {answer.status}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator("h1").count() == 1, path
        assert page.locator("main").count() == 1, path


def test_the_keys_stay_where_they_pressed(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """A version that is turned leaves the focus on its arrow, a reply that is tried again keeps it: never nowhere."""
    in_gallery.turns.pop()  # the last one is a reply then
    versions = {"variant_number": 3, "variant_count": 3, "variant_ids": (uuid.UUID(int=3), None)}
    in_gallery.turns[-1] = replace(in_gallery.turns[-1], **versions)
    page = open_page(stage_address)
    last, back = page.locator(".turn.last"), page.get_by_role("button", name="Previous version")
    back.focus()
    page.keyboard.press("Enter")
    expect(last).to_contain_text("The other version.")
    expect(back).to_be_focused()
    page.get_by_role("button", name="Try again").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    expect(last).to_be_focused()
    expect(last).to_contain_text(END)
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    expect(last).to_be_focused()


def test_no_kind_of_line_moves_the_story_on_a_phone(stage_address: str, open_page: Open) -> None:
    """What an empty box says fits on one line, whichever kind is chosen."""
    page = open_page(stage_address, width=360, height=740)
    heights = []
    for mode in ("do", "say", "story", "ooc"):
        page.locator(f"input[name=mode][value={mode}]").check(force=True)
        heights.append(page.locator(".composer").bounding_box()["height"])  # type: ignore[index]
    assert max(heights) - min(heights) < 12  # less than half a line


def test_a_menu_closes_behind_what_was_chosen(stage_address: str, open_page: Open) -> None:
    """The story menu does not stay over the reply that was asked for in it, and keeps the focus for the keys."""
    page = open_page(stage_address, width=390, height=844)
    menu = page.locator(".play-top details.menu")
    button = menu.locator("summary")
    for chosen in ("Keyboard", "Let the narrator go on"):
        button.click()
        page.get_by_role("button", name=chosen).click()
        expect(menu).not_to_have_attribute("open", re.compile(""))
        if chosen == "Keyboard":
            page.keyboard.press("Escape")
        expect(button).to_be_focused()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
