"""When something breaks: a sentence, the words kept, and a way on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from fakes.provider import Finish, Hold, Status, Text, ThreadedFakeProvider
from journeys.conftest import Come
from journeys.visitor import COUNT_LIVE, Visitor, all_words, last, positions, prose
from system.program import Start, provider_toml

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

KEY = "key-of-the-fake"
LINE = "I call down the shaft."


def test_a_narrator_that_is_down_costs_no_word(come: Come, running_program: Start) -> None:
    """The provider is away: the turn is kept and marked, the sentence names no address, Try again works later."""
    with ThreadedFakeProvider() as provider:
        program = running_program(environ={"FAKE_KEY": KEY}, toml=provider_toml(provider.base_url))
        port = provider._port
    visitor = come(program.address)
    visitor.settle()
    reply = visitor.play(LINE)
    expect(reply.locator(".note")).to_contain_text("The narrator cannot be reached. Your turn is kept")
    said = visitor.page.locator("body").inner_text()
    assert str(port) not in said.replace(program.address, "")
    assert KEY not in said
    visitor.page.reload()
    expect(visitor.page.locator(".turn.mine")).to_contain_text(LINE)
    with ThreadedFakeProvider(port=port) as provider:
        provider.always(Text("An echo, and then a voice."), Finish())
        last(visitor.page).get_by_role("button", name="Try again").click()
        expect(last(visitor.page)).to_contain_text("An echo, and then a voice.")
        reply = visitor.hear()
    expect(reply.locator(".note")).to_have_count(0)
    assert positions(visitor.page) == [0, 1, 2]


def test_a_busy_narrator_says_when(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """429 with a time: the page counts it down for eyes only, offers Try again when it is over, and says so once."""
    narrator.play(Status(429, {"Retry-After": "4"}))
    reply = player.play(LINE)
    expect(reply.locator(".note")).to_contain_text("busy")
    player.page.evaluate(COUNT_LIVE)
    again, timer = reply.get_by_role("button", name="Try again"), reply.get_by_role("timer")
    expect(again).to_be_disabled()
    expect(timer).to_have_attribute("aria-live", "off")
    expect(timer).to_have_text("You can try again in 2 seconds.")
    expect(timer).to_have_text("You can try again in 1 second.")
    expect(again).to_be_enabled()
    expect(timer).to_have_text("You can try again now.")
    expect(player.page.locator("#live")).to_have_text("You can try again now.")
    said = [sentence for sentence in player.page.evaluate("window.said") if "again in" in sentence]
    assert len(said) <= 1, f"the countdown was read out: {said}"
    again.click()
    expect(last(player.page)).to_contain_text("The bell hums")
    player.hear()


def test_a_wait_goes_on_over_a_reload(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """A page that is made before the time is over knows what is left of it; once the story goes on, nothing waits."""
    page = player.page
    narrator.play(Status(429, {"Retry-After": "40"}))
    player.play(LINE)
    expect(last(page).get_by_role("timer")).to_have_text("You can try again in 38 seconds.")
    page.reload()
    timer = last(page).get_by_role("timer")
    expect(timer).to_have_text(re.compile("You can try again in 3[0-8] seconds."))
    expect(last(page).get_by_role("button", name="Try again")).to_be_disabled()
    page.get_by_role("button", name="Continue", exact=True).click()  # nobody has to wait to go on otherwise
    expect(last(page)).to_contain_text("The bell hums")
    player.hear()
    expect(page.get_by_role("timer")).to_have_count(0)
    expect(page.locator(".note button")).to_have_count(0)


def test_a_busy_narrator_that_names_no_time(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """429 alone: the sentence says wait, the turn is kept, and Try again is there at once."""
    narrator.play(Status(429))
    reply = player.play(LINE)
    expect(reply.locator(".note")).to_contain_text("busy")
    expect(reply.get_by_role("timer")).to_have_count(0)
    reply.get_by_role("button", name="Try again").click()
    expect(last(player.page)).to_contain_text("The bell hums")
    player.hear()


def test_a_line_that_is_too_long_stays_in_its_field(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """16,001 characters are refused in a sentence and kept; one character less is played."""
    page = player.page
    player.allow(413)
    text = "bell " * 3200 + "x"
    player.write(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("16,000")
    expect(page.get_by_label("Your line")).to_have_value(text)
    player.play("bell " * 3199 + "bells")
    assert positions(page) == [0, 1, 2]


def test_a_whole_book_in_one_line_is_refused(player: Visitor) -> None:
    """200,000 characters are more than is even read: the same sentence, and they stay in the field."""
    player.allow(413)
    text = "a" * 200_000
    player.write(text)
    player.page.keyboard.press("Enter")
    expect(player.page.get_by_role("alert")).to_contain_text("too long for one turn")
    expect(player.page.get_by_label("Your line")).to_have_value(text)
    player.page.get_by_label("Your line").fill("")


def test_offline_is_said_and_the_line_waits(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Without a network nothing is sent and nothing is lost; back online the same line goes out."""
    player.watch.lost_connections = True
    player.context.set_offline(True)
    player.write("I wait for a wind.")
    player.page.keyboard.press("Enter")
    expect(player.page.get_by_role("alert")).to_contain_text("offline")
    expect(player.page.get_by_label("Your line")).to_have_value("I wait for a wind.")
    player.context.set_offline(False)
    expect(player.page.get_by_role("alert")).to_have_count(0)
    player.page.get_by_role("button", name="Play").click()
    expect(last(player.page)).to_contain_text("The bell hums")
    player.hear()


def test_signed_out_in_another_tab(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """A line played after the session has ended stays in its field, and goes out after logging in elsewhere."""
    page, handle = player.page, player.handle
    other = player.context.new_page()
    other.goto(player.address + "/")
    other.locator("details.menu summary").last.click()
    other.get_by_role("button", name="Log out").click()
    expect(other.get_by_role("link", name="Log in")).to_be_visible()
    player.allow(401, 403)
    player.write("Am I still here?")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("You are logged out")
    expect(page.get_by_label("Your line")).to_have_value("Am I still here?")
    player.page = other
    player.log_in(handle)
    expect(other.get_by_role("link", name="Continue the story")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(last(page)).to_contain_text("The bell hums")
    player.hear(page)


def test_an_empty_line_is_answered_with_what_to_do(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """Enter on nothing takes no turn and says what can be done."""
    page = player.page
    page.get_by_label("Your line").fill("   ")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Write a line first")
    page.reload()
    assert positions(page) == [0]


def test_a_server_that_is_stopped_and_comes_back(come: Come, running_program: Start) -> None:
    """The line waits in its field while nobody answers, and the same line goes out once when somebody does."""
    with ThreadedFakeProvider() as provider:
        provider.always(Text("The door opens."), Finish())
        program = running_program(environ={"FAKE_KEY": KEY}, toml=provider_toml(provider.base_url))
        visitor = come(program.address)
        visitor.settle()
        visitor.play("I knock.")
        visitor.watch.lost_connections = True
        port = program.port
        program.stop()
        visitor.write("I knock again.")
        visitor.page.keyboard.press("Enter")
        expect(visitor.page.get_by_role("alert")).to_contain_text("can’t be reached, so nothing was sent")
        expect(visitor.page.get_by_label("Your line")).to_have_value("I knock again.")
        program.start("--port", str(port))
        visitor.page.get_by_role("button", name="Play").click()
        expect(visitor.page.locator("#turns > .turn")).to_have_count(5)
        visitor.hear()
        visitor.page.reload()
        assert positions(visitor.page) == [0, 1, 2, 3, 4]


def test_a_server_that_is_killed_in_mid_reply(come: Come, running_program: Start) -> None:
    """The page looks for its reply until the server is back, then shows what was kept and offers to finish it."""
    with ThreadedFakeProvider() as provider:
        program = running_program(environ={"FAKE_KEY": KEY}, toml=provider_toml(provider.base_url))
        visitor = come(program.address)
        visitor.settle()
        visitor.watch.lost_connections = True
        provider.play(Text("The water is up to the third step, "), Hold(), Finish())
        visitor.write("I go down.")
        visitor.page.keyboard.press("Enter")
        expect(last(visitor.page)).to_contain_text("third step")
        visitor.page.wait_for_timeout(700)  # what was shown for longer than 0.6 s must be kept
        port = program.port
        program.kill()
        expect(visitor.page.locator(".waking")).to_contain_text("The connection dropped")
        program.start("--port", str(port))
        note = visitor.page.locator(".turn.last .note")
        expect(note).to_contain_text("interrupted", timeout=30_000)
        visitor.hear()
        assert prose(last(visitor.page)).startswith("The water is up to the third step")
        assert all_words(visitor.page)[1] == "I go down."
        provider.play(Text("and rising."), Finish())
        note.get_by_role("button", name="Finish it").click()
        expect(last(visitor.page)).to_contain_text("and rising.")
        visitor.hear()
