"""What is being typed saves itself; when it cannot, the page says so, and the words stay in the box."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, Request, expect

from stories.house import eventually
from ui import gallery

pytestmark = pytest.mark.browser
Open = Callable[..., Page]
HEAD, NOTE = "#saved", ".draft-note"


def saves(page: Page) -> list[Request]:
    """The saves of drafts that a page sends from now on."""
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith("/draft/") else None)
    return sent


def write(page: Page, text: str) -> None:
    """Write a line and wait until the page begins to save it."""
    with page.expect_request(lambda request: request.url.endswith("/draft/")):
        page.get_by_label("Your line").fill(text)


def test_a_slow_save_does_not_bring_a_played_line_back(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """A line that is played while its draft is still being saved is no draft afterwards."""
    gate = in_gallery.draft_gate = threading.Event()
    page = open_page(stage_address)
    write(page, "I name the lamp.")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your line")).to_have_value("")
    expect(page.locator(".turn.last")).to_contain_text("Somewhere a shutter closes.")
    assert in_gallery.drafts == [], "a second save was sent beside the first"
    gate.set()
    eventually(lambda: [draft["text"] for draft in in_gallery.drafts] == ["I name the lamp.", ""])


def test_of_many_changes_the_last_is_saved(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """While one save is under way none follows; at its end the newest words go, and those between do not."""
    gate = in_gallery.draft_gate = threading.Event()
    page = open_page(stage_address)
    sent = saves(page)
    write(page, "One")
    for text in ("One two", "One two three"):
        page.get_by_label("Your line").fill(text)
        page.wait_for_timeout(900)  # longer than the pause after which a line is saved
    assert len(sent) == 1
    gate.set()
    eventually(lambda: [draft["text"] for draft in in_gallery.drafts] == ["One", "One two three"])


def test_a_save_that_fails_is_said_and_tried_again(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """503: the head stops saying that all is saved, a note says what is safe, and a later try takes both back."""
    in_gallery.draft_refusals = [(503, "The disk is full.")]
    page = open_page(stage_address)
    expect(page.locator(HEAD)).to_have_text("Saved as you play")
    write(page, "A line that matters")
    expect(page.locator(NOTE)).to_contain_text("could not be saved just now. Its words stay in the box as long as")
    expect(page.locator(HEAD)).to_have_text("Your line is not saved")
    expect(page.get_by_label("Your line")).to_have_value("A line that matters")
    expect(page.locator(NOTE)).to_be_hidden()  # two seconds later, by itself
    expect(page.locator(HEAD)).to_have_text("Saved as you play")
    assert in_gallery.drafts == [{"mode": "do", "text": "A line that matters"}]


def test_save_it_now(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """The button of the note saves at once, and leads the focus back to the line."""
    in_gallery.draft_refusals = [(503, "The disk is full.")] * 2
    page = open_page(stage_address)
    write(page, "A line that matters")
    button = page.get_by_role("button", name="Save it now")
    button.press("Enter")
    button.press("Enter")
    expect(page.locator(NOTE)).to_be_hidden()
    expect(page.get_by_label("Your line")).to_be_focused()
    assert in_gallery.drafts == [{"mode": "do", "text": "A line that matters"}]


def test_a_refused_draft_is_not_tried_again_by_itself(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """What can never be saved as it is (too long) is told in the server's words, and saved once it was changed."""
    in_gallery.draft_refusals = [(413, "This line is longer than a draft may be.")]
    page = open_page(stage_address)
    sent = saves(page)
    write(page, "Much too long")
    expect(page.locator(NOTE)).to_contain_text("longer than a draft may be")
    page.wait_for_timeout(2500)  # longer than the first wait after a failure
    assert len(sent) == 1
    write(page, "Shorter")
    expect(page.locator(NOTE)).to_be_hidden()
    assert in_gallery.drafts == [{"mode": "do", "text": "Shorter"}]


def test_a_tab_with_an_unsaved_line_asks_before_it_closes(
    stage_address: str, in_gallery: gallery.Stage, open_page: Open
) -> None:
    """The browser asks before words are lost that stand nowhere else; saved ones are left without a question."""
    page = open_page(stage_address)
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    write(page, "Saved")
    eventually(lambda: bool(in_gallery.drafts))
    page.reload()
    assert asked == []
    in_gallery.draft_refusals = [(503, "The disk is full.")] * 9
    write(page, "Not saved")
    expect(page.locator(NOTE)).to_be_visible()
    page.reload()
    assert asked == ["beforeunload"]


def test_a_change_of_kind_is_saved(stage_address: str, in_gallery: gallery.Stage, open_page: Open) -> None:
    """The kind of line belongs to the draft: Say instead of Do is saved without another word."""
    page = open_page(stage_address)
    write(page, "Who goes there")
    page.get_by_role("radio", name="Say", exact=True).check()
    eventually(lambda: in_gallery.drafts[-1:] == [{"mode": "say", "text": "Who goes there"}])
