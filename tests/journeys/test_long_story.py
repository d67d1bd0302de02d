"""A story of three hundred turns opens at once, at its end, and is read backwards without a jump."""

from __future__ import annotations

import uuid

import pytest
from playwright.sync_api import expect

from fakes.provider import Finish, Text, ThreadedFakeProvider, Words
from journeys.visitor import Visitor, positions

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

PROSE = "The tide came in over the flats and took the prints with it. Nobody had counted them. " * 3
PLACE_READER = """() => {
    const story = document.querySelector("story-reader");
    story.scrollTop = 400;
    const read = [...story.querySelectorAll(".turn")].find((turn) => turn.getBoundingClientRect().top > 150);
    window.read = read;
    window.stood = read.getBoundingClientRect().top;
    window.moved = 0;
    const look = () => {
        window.moved = Math.max(window.moved, Math.abs(read.getBoundingClientRect().top - window.stood));
        requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
}"""


def test_three_hundred_turns(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """It opens with its last fifty turns, at the end; older ones come by scrolling, and the line read never moves."""
    page, story = player.page, player.page.url.removeprefix(player.address).split("/")[2]
    narrator.always(Text(PROSE), Finish())
    for number in range(150):
        body = {"mode": "do", "text": f"Line {number}.", "client_turn_id": str(uuid.uuid4())}
        assert player.request(f"/stream/stories/{story}/turns", body) == 200
    page.reload()
    expect(page.locator("#turns > .turn")).to_have_count(50)
    expect(page.locator(".turn.last")).to_have_attribute("data-position", "300")
    distance = "it => it.scrollHeight - it.scrollTop - it.clientHeight"
    assert page.locator("story-reader").evaluate(distance) < 4
    page.evaluate(PLACE_READER)
    expect(page.locator("#turns > .turn")).to_have_count(100)
    page.wait_for_timeout(200)
    assert page.evaluate("window.moved") < 2
    for count in (150, 200, 250, 300):
        page.evaluate("document.querySelector('story-reader').scrollTop = 10")
        expect(page.locator("#turns > .turn")).to_have_count(count)
    page.evaluate("document.querySelector('story-reader').scrollTop = 0")
    expect(page.locator("#turns > .turn")).to_have_count(301)
    assert positions(page) == list(range(301))
    expect(page.locator(".earlier")).to_have_count(0)
    page.get_by_role("button", name="Back to the end").click()
    assert page.locator("story-reader").evaluate(distance) < 4
    expect(page.get_by_role("button", name="Back to the end")).to_be_hidden()


def test_reading_above_is_not_pulled_to_the_end(player: Visitor, narrator: ThreadedFakeProvider) -> None:
    """While a reply streams, one scroll upwards stops the page from following it."""
    page = player.page
    narrator.play(Words(300, 150), Finish())
    player.write("I watch.")
    page.keyboard.press("Enter")
    expect(page.locator(".turn.last")).to_contain_text("w60")
    page.mouse.move(600, 300)
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(300)
    before = page.locator("story-reader").evaluate("it => it.scrollTop")
    player.hear()
    assert page.locator("story-reader").evaluate("it => it.scrollTop") == before
    expect(page.get_by_role("button", name="Back to the end")).to_be_visible()
