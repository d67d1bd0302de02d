"""A reply whose connection broke is looked for, not for ever; the person is never locked out of the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from ui import gallery

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
END = "Somewhere a shutter closes."


def lose(page: Page, in_gallery: gallery.Stage) -> Any:
    """Play a line whose reply breaks off and cannot be found again; returns the note under it."""
    in_gallery.cut_after, in_gallery.drops = 60, 1000
    page.clock.install()
    page.get_by_label("Your line").fill("I hold on.")
    page.keyboard.press("Enter")
    note = page.locator("#turns > .turn").last.locator(".inline-note .note")
    for _ in range(100):
        if note.count():
            return note
        page.clock.run_for(1_000)
    raise AssertionError("the page looks for its reply for ever")


def test_a_reply_that_cannot_be_found_frees_the_line(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """503 again and again: after half a minute the page says so in the server's words and lets the person write."""
    page = open_page(stage_address)
    note = lose(page, in_gallery)
    tried = 1000 - in_gallery.drops
    assert 5 <= tried <= 10
    expect(note).to_contain_text("Busy.")
    expect(page.locator("#turns > .turn").last).to_contain_text("The flame considers")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()
    page.get_by_label("Your line").fill("Are you there?")
    page.clock.run_for(60_000)
    assert 1000 - in_gallery.drops == tried, "it goes on asking"
    expect(page.get_by_label("Your line")).to_have_value("Are you there?")


def test_try_again_finds_the_reply(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """The button under the words looks again, by keys too, and the whole reply is there once; the line written
    meanwhile stays."""
    page = open_page(stage_address)
    note = lose(page, in_gallery)
    page.get_by_label("Your line").fill("Are you there?")
    in_gallery.drops = 0
    page.clock.resume()
    note.get_by_role("button", name="Try again").press("Enter")
    last = page.locator("#turns > .turn").last
    expect(last).to_contain_text(END)
    expect(last.locator(".note")).to_have_count(0)
    expect(last.locator(".prose")).to_have_count(1)
    assert last.locator(".prose").inner_text().count("The flame considers") == 1
    expect(page.get_by_label("Your line")).to_have_value("Are you there?")


def test_a_network_that_comes_back_finds_the_reply(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """The browser says that it is online again: the page looks for the reply without being asked."""
    page = open_page(stage_address)
    lose(page, in_gallery)
    in_gallery.drops = 0
    page.clock.resume()
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#turns > .turn").last).to_contain_text(END)


def test_answers_without_a_word_are_counted_too(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """A server that answers and breaks off at once, every time, is not asked for ever either."""
    in_gallery.cut_resumed = True
    page = open_page(stage_address)
    note = lose(page, in_gallery)
    assert in_gallery.drops == 1000
    expect(note).to_contain_text("can’t be reached just now")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
