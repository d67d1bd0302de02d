"""The disk of the running program is full: the page says so, and no word that was written is gone from it."""

from __future__ import annotations

import resource
from contextlib import suppress

import pytest
from playwright.sync_api import Page, expect

from fakes.provider import Finish, Hold, Text, ThreadedFakeProvider
from journeys.conftest import Come
from journeys.visitor import all_words, last, positions
from system.program import Start, provider_toml

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

LINE = "I write it all down."


def test_a_line_waits_until_there_is_room(come: Come, running_program: Start) -> None:
    """Neither draft nor turn can be stored: both are said with what is safe, the line stays in its box, and when there
    is room again the draft saves itself and the same line is played, once."""
    with ThreadedFakeProvider() as provider:
        provider.always(Text("She reads it twice."), Finish())
        program = running_program(environ={"FAKE_KEY": "key-of-the-fake"}, toml=provider_toml(provider.base_url))
        visitor = come(program.address)
        visitor.settle()
        visitor.play("I sit down.")
        page, line = visitor.page, visitor.page.get_by_label("Your line")
        visitor.allow(503)
        was = resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            visitor.write(LINE)
            expect(page.locator(".draft-note")).to_contain_text("not be saved just now. Its words stay in the box")
            expect(page.locator("#saved")).to_have_text("Your line is not saved")
            page.keyboard.press("Enter")
            expect(page.get_by_role("alert")).to_contain_text("could not save just now")
            expect(line).to_have_value(LINE)
            expect(page.get_by_role("button", name="Play")).to_be_enabled()
        finally:
            resource.prlimit(program.pid, resource.RLIMIT_FSIZE, was)
        expect(page.locator("#saved")).to_have_text("Saved as you play")
        page.get_by_role("button", name="Play").click()
        expect(last(page)).to_contain_text("She reads it twice.")
        visitor.hear()
        expect(line).to_have_value("")
        page.reload()
        assert positions(page) == [0, 1, 2, 3, 4]
        expect(line).to_have_value("")


def test_a_reply_that_cannot_be_saved_stays_on_the_page(come: Come, running_program: Start) -> None:
    """The words that were shown do not go when their end cannot be stored, the page says so where they stand, also
    after a reload, and Try again finds them saved when there is room."""
    with ThreadedFakeProvider() as provider:
        provider.play(Text("She reads it"), Hold(), Text(" twice, and then she burns it."), Finish())
        program = running_program(environ={"FAKE_KEY": "key-of-the-fake"}, toml=provider_toml(provider.base_url))
        visitor = come(program.address)
        visitor.settle()
        page = visitor.page
        visitor.write("I hand it over.")
        page.keyboard.press("Enter")
        expect(last(page)).to_contain_text("She reads it")
        was = resource.prlimit(program.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        try:
            provider.release()
            for again in (False, True):
                expect(last(page)).to_contain_text("twice, and then she burns it.")
                expect(last(page).locator(".note")).to_contain_text("could not be saved on this machine")
                expect(page.get_by_role("button", name="Play")).to_be_enabled()
                if not again:
                    page.reload()
        finally:
            resource.prlimit(program.pid, resource.RLIMIT_FSIZE, was)
        visitor.write("And now?")  # it stays in its box
        try_until_saved(page)
        expect(last(page).locator(".note")).to_have_count(0)
        expect(page.get_by_label("Your line")).to_have_value("And now?")
        assert all_words(page)[-1] == "She reads it twice, and then she burns it."
        page.reload()
        assert all_words(page)[-1] == "She reads it twice, and then she burns it."


def try_until_saved(page: Page) -> None:
    """Press Try again; whoever presses it before the program has saved the reply is told the same once more."""
    saved = last(page).locator(".turn-tools")
    for _ in range(20):
        last(page).get_by_role("button", name="Try again").click()
        with suppress(AssertionError):
            expect(saved).to_have_count(1, timeout=1_000)
            return
    expect(saved).to_have_count(1)
