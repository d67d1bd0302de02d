"""Reload, leave, come back, read in two tabs: nothing that was written or said is lost or doubled."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from fakes.provider import Finish, Hold, Text, ThreadedFakeProvider, Words, words
from journeys.visitor import Visitor, all_words, last, positions, prose

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

HELD = (Text("Before the pause, "), Hold(), Text("and after it."), Finish())
WHOLE = "Before the pause, and after it."


def test_a_draft_survives_a_reload(player: Visitor) -> None:
    """What is being typed is there again after a reload, with the kind of line it was to be."""
    page = player.page
    with page.expect_response(lambda answer: answer.url.endswith("/draft/") and answer.status == 204):
        player.write("Half a thou", "Say")
    page.reload()
    expect(page.get_by_label("Your line")).to_have_value("Half a thou")
    expect(page.get_by_role("radio", name="Say", exact=True)).to_be_checked()
    # Without a pause to save in: the page that is left saves it.
    page.get_by_label("Your line").fill("Half a thought")
    page.goto(player.address + "/")
    page.get_by_role("link", name="Continue the story").click()
    expect(page.get_by_label("Your line")).to_have_value("Half a thought")


def test_a_played_line_is_no_draft_any_more(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """What was typed slowly, saved as a draft and then played does not come back into the field."""
    page = player.page
    page.get_by_label("Your line").press_sequentially("I play what I have written", delay=10)
    with page.expect_response(lambda answer: answer.url.endswith("/draft/")):
        page.get_by_label("Your line").press_sequentially(".")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your line")).to_have_value("")
    player.hear()
    page.reload()
    expect(page.get_by_label("Your line")).to_have_value("")
    assert positions(page) == [0, 1, 2]


def test_a_reload_in_mid_reply_loses_nothing(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """The page that is made while a reply runs shows what was said so far and hears the rest."""
    page = player.page
    narrator.play(*HELD)
    player.write("I wait.")
    page.keyboard.press("Enter")
    expect(last(page)).to_contain_text("Before the pause")
    page.reload()
    expect(last(page)).to_contain_text("Before the pause")
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    narrator.release()
    assert prose(player.hear()) == WHOLE
    assert positions(page) == [0, 1, 2]


def test_reloads_at_any_moment(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Three reloads while words stream past: at the end each word is there exactly once."""
    page = player.page
    narrator.play(Words(150, 80), Finish())
    player.write("I listen.")
    page.keyboard.press("Enter")
    for word in ("w5", "w40", "w80"):
        expect(last(page)).to_contain_text(word)
        page.reload()
    assert prose(player.hear()).split() == words(150).split()


def test_a_second_page_hears_the_same_reply(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """A second page of the same person picks up the running reply, and both end with the same words."""
    page = player.page
    narrator.play(*HELD)
    player.write("I wait.")
    page.keyboard.press("Enter")
    expect(last(page)).to_contain_text("Before the pause")
    other = player.second_page()
    expect(last(other)).to_contain_text("Before the pause")
    narrator.release()
    assert prose(player.hear(page)) == prose(player.hear(other)) == WHOLE
    assert all_words(page) == all_words(other)


def test_closing_the_page_does_not_end_the_reply(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """The tab is closed in mid-reply; whoever comes back finds the whole of it."""
    address = player.page.url
    narrator.play(*HELD)
    player.write("I leave.")
    player.page.keyboard.press("Enter")
    expect(last(player.page)).to_contain_text("Before the pause")
    player.page.close()
    narrator.release()
    player.page = player.context.new_page()
    player.page.goto(address)
    assert prose(player.hear()) == WHOLE


def test_two_tabs_take_turns(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """A tab that was left behind learns of the turns it missed when it plays, and nothing is overwritten."""
    page = player.page
    other = player.second_page()
    narrator.play(Text("The first tab's answer."), Finish())
    player.play("From the first tab.")
    narrator.play(Text("The second tab's answer."), Finish())
    player.play("From the second tab.", page=other)
    expect(other.locator("#turns > .turn")).to_have_count(5)
    assert positions(other) == [0, 1, 2, 3, 4]
    assert all_words(other)[1:] == [
        "From the first tab.", "The first tab's answer.", "From the second tab.", "The second tab's answer.",
    ]  # fmt: skip
    page.reload()
    assert all_words(page) == all_words(other)


def test_a_tab_that_plays_into_a_running_reply_is_told(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """The other tab's line is refused with a sentence and stays in its field; the reply goes on there, to its end."""
    page = player.page
    other = player.second_page()
    narrator.play(*HELD)
    player.write("I wait.")
    page.keyboard.press("Enter")
    expect(last(page)).to_contain_text("Before the pause")
    player.allow(409)
    player.write("Me too.", page=other)
    other.keyboard.press("Enter")
    expect(other.get_by_role("alert")).to_contain_text("still writing")
    expect(other.get_by_label("Your line")).to_have_value("Me too.")
    expect(last(other)).to_contain_text("Before the pause")
    expect(other.get_by_role("button", name="Stop")).to_be_visible()
    narrator.release()
    player.hear()
    expect(other.get_by_role("alert")).to_have_count(0)
    other.get_by_role("button", name="Play").click()
    player.hear(other)
    expect(other.locator("#turns > .turn")).to_have_count(5)
    assert positions(other) == [0, 1, 2, 3, 4]
